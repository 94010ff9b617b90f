//! `vjam devices`: what `vjam join` could play through on this machine.

use std::io::Write as _;

use engine_device::audio::{self, DeviceReport, JackServer, Rates};

/// Lists devices and says whether a JACK server runs.
pub(crate) fn run() -> anyhow::Result<()> {
    let jack = audio::find_server().map_err(|error| error.to_string());
    let text = describe(&audio::describe_devices(), &jack);
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

fn describe(devices: &[DeviceReport], jack: &Result<JackServer, String>) -> String {
    let mut lines = vec!["JACK (`--audio jack`)".to_owned()];
    match jack {
        Ok(server) => {
            let JackServer { rate_hz, period_frames, inputs, outputs } = server;
            let rate = match Rates::new(*rate_hz, *rate_hz) {
                Ok(rates) => rates.to_string(),
                Err(reason) => format!("not to be used, {reason}"),
            };
            lines.push(format!("  a server runs: {rate}, period {period_frames} frames"));
            lines.push(format!("  inputs: {}", list(inputs)));
            lines.push(format!("  outputs: {}", list(outputs)));
        }
        Err(reason) => lines.push(format!("  {reason}")),
    }
    let mut host = "";
    for device in devices {
        if device.host != host {
            host = device.host;
            lines.push(String::new());
            lines.push(format!("{host} (`--audio default`)"));
        }
        let roles = if device.roles.is_empty() {
            String::new()
        } else {
            format!("  [{}]", device.roles.join(", "))
        };
        lines.push(format!("  {}{roles}", device.name));
        if !device.id.is_empty() {
            lines.push(format!("    id {}", device.id));
        }
        lines.extend(device.ways.iter().map(|way| format!("    {way}")));
    }
    if devices.is_empty() {
        lines.push(String::new());
        lines.push("No audio device of the system was found.".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

fn list(ports: &[String]) -> String {
    if ports.is_empty() { "none".to_owned() } else { ports.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_stand_under_their_host_with_what_they_can_do() {
        let device = |name: &str, roles: &[&'static str]| DeviceReport {
            host: "ALSA",
            name: name.into(),
            id: format!("alsa:{name}"),
            roles: roles.to_vec(),
            ways: vec!["output: 2 channels, 48000 Hz, f32, period 32 to 4096 frames".into()],
        };
        let server = JackServer {
            rate_hz: 48_000,
            period_frames: 64,
            inputs: vec!["system:capture_1".into()],
            outputs: Vec::new(),
        };
        let devices = [device("USB", &["default output"]), device("HDMI", &[])];
        assert_eq!(
            describe(&devices, &Ok(server)),
            "JACK (`--audio jack`)\n  a server runs: 48000 Hz, period 64 frames\n  inputs: \
             system:capture_1\n  outputs: none\n\nALSA (`--audio default`)\n  USB  [default \
             output]\n    id alsa:USB\n    output: 2 channels, 48000 Hz, f32, period 32 to 4096 \
             frames\n  HDMI\n    id alsa:HDMI\n    output: 2 channels, 48000 Hz, f32, period 32 \
             to 4096 frames\n"
        );
    }

    #[test]
    fn a_server_at_another_rate_is_told_with_what_becomes_of_it() {
        let line = |rate_hz| {
            let (inputs, outputs) = (Vec::new(), Vec::new());
            let text =
                describe(&[], &Ok(JackServer { rate_hz, period_frames: 64, inputs, outputs }));
            text.lines().nth(1).expect("a line on the server").to_owned()
        };
        assert_eq!(
            line(96_000),
            "  a server runs: 96000 Hz (converted to 48000 Hz, which takes 0.21 ms), period 64 frames"
        );
        assert_eq!(
            line(22_050),
            "  a server runs: not to be used, 22050 Hz cannot be converted to 48000 Hz, only 32000 \
             to 192000 Hz can, period 64 frames"
        );
    }

    #[test]
    fn a_machine_without_sound_says_so() {
        let text = describe(&[], &Err("no JACK server answers".into()));
        assert!(text.contains("no JACK server answers") && text.contains("No audio device"));
    }
}
