// What a scenario has started is ended in reverse order, by its own handle: pages before the server
// that they talk to, so that a page has nothing to complain about.

/** The steps that take a scenario back. */
export class Undo {
  #steps = [];

  /** Adds a step that runs before those that were added earlier. */
  add(step) {
    this.#steps.push(step);
  }

  /** Runs a scenario, then every step, whatever happens; the first error is the scenario's. */
  async after(scenario) {
    const errors = [];
    for (let step = scenario; step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length !== 0) throw errors[0];
  }
}
