// Something went wrong: what happened, and what to do.

import type { ComponentChildren } from "preact";

import type { Problem } from "../session/words";

interface Props {
  problem: Problem;
  children?: ComponentChildren;
}

export function ProblemCard({ problem, children }: Props) {
  return (
    <div class="problem" role="alert" data-code={problem.code}>
      <p>
        <strong>{problem.title}</strong> {problem.advice}
      </p>
      {children}
    </div>
  );
}
