// Written by `cargo xtask generate` from the Rust types in protocol/src/signal.rs. Never edited by hand.
import type { ClientEnvelope, ServerEnvelope } from ".";

/** Every message from an app, as serde writes it. */
export const CLIENT_SAMPLES = [
  {
    "request": 0,
    "type": "join",
    "version": 1,
    "room": "blue-note",
    "name": "Ada",
    "capabilities": {
      "engine": "browser",
      "decodes": [
        "opus-64",
        "opus",
        "pcm"
      ]
    }
  },
  {
    "type": "join",
    "version": 1,
    "room": "blue-note",
    "name": "Ada",
    "capabilities": {
      "engine": "browser",
      "decodes": [
        "opus-64",
        "opus",
        "pcm"
      ]
    },
    "seat": "seat"
  },
  {
    "request": 2,
    "type": "join",
    "version": 1,
    "room": "blue-note",
    "name": "Ada",
    "capabilities": {
      "engine": "browser",
      "decodes": [
        "opus-64",
        "opus",
        "pcm"
      ]
    },
    "pass": "pass"
  },
  {
    "type": "connect",
    "ticket": "ticket",
    "description": {
      "kind": "sdp",
      "sdp": "v=0\r\n"
    }
  },
  {
    "request": 4,
    "type": "connect",
    "ticket": "ticket",
    "description": {
      "kind": "direct",
      "link": {
        "ice_ufrag": "ufrag",
        "ice_pwd": "at-least-22-characters",
        "fingerprint": "00:11"
      },
      "candidates": [
        "127.0.0.1:7882"
      ]
    }
  },
  {
    "type": "publish",
    "label": "mic",
    "channels": 1,
    "codecs": [
      "opus-64",
      "opus"
    ],
    "sources": [
      {
        "codec": "opus",
        "ssrc": 7
      }
    ]
  },
  {
    "request": 6,
    "type": "unpublish",
    "track": 3
  },
  {
    "type": "mute",
    "track": 3,
    "muted": true
  },
  {
    "request": 8,
    "type": "silence",
    "participant": 3,
    "on": true
  },
  {
    "type": "remove",
    "participant": 3
  },
  {
    "request": 10,
    "type": "chat",
    "text": "one two three four"
  },
  {
    "type": "reception",
    "streams": [
      {
        "ssrc": 9,
        "expected_packets": 750,
        "lost_packets": 12,
        "gaps": 8
      }
    ]
  },
  {
    "request": 12,
    "type": "hearing",
    "tracks": [
      {
        "track": 5,
        "delay_us": 23400,
        "padding_us": 5850,
        "lost_permille": 3,
        "concealed_permille": 1
      },
      {
        "track": 5,
        "lost_permille": 3,
        "concealed_permille": 1
      }
    ]
  },
  {
    "type": "hearing",
    "tracks": [
      {
        "track": 5,
        "lost_permille": 3,
        "concealed_permille": 1,
        "network_us": 1300,
        "spare_us": 0
      }
    ],
    "device": {
      "period_us": 1333,
      "input_latency_us": 2700,
      "output_latency_us": 4000,
      "missed": 1,
      "load_permille": 120,
      "left_out": 2
    },
    "network": {
      "round_trip_us": 12000,
      "jitter_us": 400
    }
  },
  {
    "request": 14,
    "type": "hearing",
    "tracks": [],
    "device": {}
  },
  {
    "type": "lead",
    "leading": true
  },
  {
    "request": 16,
    "type": "click",
    "segments": [
      {
        "start_us": 1790000000000000,
        "bar": -1,
        "tempo_millibpm": 96500,
        "unit": 4,
        "beats": [
          "accent",
          "normal",
          "silent"
        ]
      }
    ]
  },
  {
    "type": "mode",
    "mode": "beat"
  },
  {
    "request": 18,
    "type": "start_take",
    "title": "Autumn",
    "start_us": 1790000000000000
  },
  {
    "type": "stop_take",
    "stop_us": 1790000060000000
  },
  {
    "request": 20,
    "type": "mark_take",
    "at_us": 1790000030000000,
    "text": "solo"
  },
  {
    "type": "around",
    "delay_us": 21000
  },
  {
    "request": 22,
    "type": "look",
    "room": "blue-note"
  },
  {
    "type": "ping"
  },
  {
    "request": 24,
    "type": "leave"
  }
] satisfies ClientEnvelope[];

/** Every message from signalling, as serde writes it. */
export const SERVER_SAMPLES = [
  {
    "request": 0,
    "type": "joined",
    "version": 1,
    "room": "blue-note",
    "participant": 1,
    "ticket": "ticket",
    "ticket_seconds": 60,
    "seat": "seat",
    "seat_seconds": 15,
    "participants": [
      {
        "id": 1,
        "name": "Musician 1",
        "engine": "browser",
        "presence": "online",
        "tracks": [
          {
            "id": 1,
            "label": "mic",
            "channels": 1,
            "muted": false
          }
        ]
      },
      {
        "id": 2,
        "name": "Musician 2",
        "engine": "native",
        "presence": "away",
        "tracks": [
          {
            "id": 2,
            "label": "mic",
            "channels": 1,
            "muted": false
          }
        ]
      }
    ],
    "chat": [
      {
        "id": 1,
        "participant": 2,
        "name": "Bo",
        "text": "from the top?",
        "at_unix_ms": 1790000000000
      }
    ],
    "resumed": false
  },
  {
    "type": "connected",
    "description": {
      "kind": "sdp",
      "sdp": "v=0\r\n"
    }
  },
  {
    "request": 2,
    "type": "connected",
    "description": {
      "kind": "direct",
      "link": {
        "ice_ufrag": "ufrag",
        "ice_pwd": "at-least-22-characters",
        "fingerprint": "00:11"
      },
      "candidates": [
        "127.0.0.1:7882"
      ]
    }
  },
  {
    "type": "published",
    "track": 1,
    "label": "mic"
  },
  {
    "request": 4,
    "type": "ticket",
    "ticket": "ticket-2",
    "ticket_seconds": 60
  },
  {
    "type": "participant",
    "participant": {
      "id": 3,
      "name": "Musician 3",
      "engine": "standard",
      "presence": "online",
      "tracks": [
        {
          "id": 3,
          "label": "mic",
          "channels": 1,
          "muted": false
        }
      ]
    }
  },
  {
    "request": 6,
    "type": "participant",
    "participant": {
      "id": 4,
      "name": "Musician 4",
      "engine": "browser",
      "presence": "online",
      "tracks": [
        {
          "id": 4,
          "label": "mic",
          "channels": 1,
          "muted": false
        }
      ],
      "role": "owner",
      "account": "0190163d-8694-739b-aea5-966c26f8ad91"
    }
  },
  {
    "type": "participant",
    "participant": {
      "id": 5,
      "name": "Musician 5",
      "engine": "browser",
      "presence": "online",
      "tracks": [
        {
          "id": 5,
          "label": "mic",
          "channels": 1,
          "muted": false
        }
      ],
      "role": "guest",
      "silenced": true
    }
  },
  {
    "request": 8,
    "type": "streams",
    "streams": [
      {
        "ssrc": 1002,
        "mid": "1",
        "participant": 2,
        "track": 2,
        "codec": "opus",
        "channels": 1
      },
      {
        "ssrc": 1003,
        "participant": 3,
        "track": 3,
        "codec": "pcm",
        "channels": 1
      }
    ]
  },
  {
    "type": "slots_wanted",
    "slots": 8
  },
  {
    "request": 10,
    "type": "hearing",
    "listener": 2,
    "tracks": [
      {
        "track": 5,
        "delay_us": 23400,
        "padding_us": 5850,
        "lost_permille": 3,
        "concealed_permille": 1
      },
      {
        "track": 5,
        "lost_permille": 3,
        "concealed_permille": 1
      }
    ]
  },
  {
    "type": "encodings_wanted",
    "track": 1,
    "codecs": [
      "opus-64",
      "opus"
    ],
    "redundant_frames": 1,
    "reason": "Bo's browser plays only opus"
  },
  {
    "request": 12,
    "type": "encodings_wanted",
    "track": 1,
    "codecs": [
      "opus-64"
    ],
    "redundant_frames": 0
  },
  {
    "type": "uplink",
    "track": 1,
    "codec": "opus-64",
    "received_packets": 750,
    "lost_packets": 2,
    "jitter_us": 140
  },
  {
    "request": 14,
    "type": "room",
    "state": {
      "click": [],
      "mode": "tight",
      "takes": []
    }
  },
  {
    "type": "room",
    "state": {
      "leader": 2,
      "click": [
        {
          "start_us": 1790000000000000,
          "bar": -1,
          "tempo_millibpm": 96500,
          "unit": 4,
          "beats": [
            "accent",
            "normal",
            "silent"
          ]
        }
      ],
      "mode": "aligned",
      "takes": [
        {
          "id": "0123456789abcdef0123456789abcdef",
          "key": "fedcba9876543210fedcba9876543210",
          "title": "Autumn",
          "started_by": "Bo",
          "start_us": 1790000000000000,
          "stop_us": 1790000060000000
        },
        {
          "id": "0123456789abcdef0123456789abcdef",
          "key": "fedcba9876543210fedcba9876543210",
          "title": "Autumn",
          "started_by": "Bo",
          "start_us": 1790000000000000
        }
      ]
    }
  },
  {
    "request": 16,
    "type": "chat",
    "message": {
      "id": 1,
      "participant": 2,
      "name": "Bo",
      "text": "from the top?",
      "at_unix_ms": 1790000000000
    }
  },
  {
    "type": "seen",
    "room": "blue-note",
    "participants": [
      {
        "name": "Bo",
        "engine": "native",
        "presence": "online",
        "around_us": 21000
      },
      {
        "name": "Bo",
        "engine": "browser",
        "presence": "online"
      }
    ]
  },
  {
    "request": 18,
    "type": "pong"
  },
  {
    "type": "findings",
    "findings": [
      {
        "code": "large_period",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "slow_device",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "shaky_network",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "uplink_loss",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "downlink_loss",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "far_away",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "far_server",
        "severity": "slight",
        "text": "the cause: the cure"
      },
      {
        "code": "slow_computer",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "ordinary_player",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "long_packets",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "chosen_delay",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      },
      {
        "code": "other",
        "about": 2,
        "severity": "serious",
        "text": "the cause: the cure"
      }
    ]
  },
  {
    "request": 20,
    "type": "participant_left",
    "participant": 3,
    "reason": "left"
  },
  {
    "type": "participant_left",
    "participant": 3,
    "reason": "lost"
  },
  {
    "request": 22,
    "type": "participant_left",
    "participant": 3,
    "reason": "removed"
  },
  {
    "type": "error",
    "code": "malformed",
    "text": "what to do"
  },
  {
    "request": 24,
    "type": "error",
    "code": "too_large",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "version",
    "text": "what to do"
  },
  {
    "request": 26,
    "type": "error",
    "code": "out_of_order",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "bad_name",
    "text": "what to do"
  },
  {
    "request": 28,
    "type": "error",
    "code": "room_full",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "server_full",
    "text": "what to do"
  },
  {
    "request": 30,
    "type": "error",
    "code": "seat_gone",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "bad_ticket",
    "text": "what to do"
  },
  {
    "request": 32,
    "type": "error",
    "code": "bad_description",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "too_many",
    "text": "what to do"
  },
  {
    "request": 34,
    "type": "error",
    "code": "no_such_track",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "bad_track",
    "text": "what to do"
  },
  {
    "request": 36,
    "type": "error",
    "code": "media_refused",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "link_closed",
    "text": "what to do"
  },
  {
    "request": 38,
    "type": "error",
    "code": "over_rate",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "bad_text",
    "text": "what to do"
  },
  {
    "request": 40,
    "type": "error",
    "code": "not_leading",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "bad_click",
    "text": "what to do"
  },
  {
    "request": 42,
    "type": "error",
    "code": "bad_take",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "pass_wanted",
    "text": "what to do"
  },
  {
    "request": 44,
    "type": "error",
    "code": "bad_pass",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "banned",
    "text": "what to do"
  },
  {
    "request": 46,
    "type": "error",
    "code": "removed",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "not_allowed",
    "text": "what to do"
  },
  {
    "request": 48,
    "type": "error",
    "code": "no_such_participant",
    "text": "what to do"
  },
  {
    "type": "error",
    "code": "try_again",
    "text": "what to do"
  },
  {
    "request": 50,
    "type": "error",
    "code": "too_fast",
    "text": "what to do"
  },
  {
    "type": "bye",
    "reason": "left",
    "text": "why"
  },
  {
    "request": 52,
    "type": "bye",
    "reason": "server_closing",
    "text": "why"
  },
  {
    "type": "bye",
    "reason": "replaced",
    "text": "why"
  },
  {
    "request": 54,
    "type": "bye",
    "reason": "misbehaved",
    "text": "why"
  },
  {
    "type": "bye",
    "reason": "timed_out",
    "text": "why"
  },
  {
    "request": 56,
    "type": "bye",
    "reason": "refused",
    "text": "why"
  },
  {
    "type": "bye",
    "reason": "removed",
    "text": "why"
  }
] satisfies ServerEnvelope[];
