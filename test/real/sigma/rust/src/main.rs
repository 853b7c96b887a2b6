// Usage: sigma-verdicts verdicts|bench RULES EVENTS
// RULES: a JSON list of texts, each a Sigma rule; EVENTS: a JSON event a line.
// verdicts: one line a rule, a JSON list of the numbers of the events that it matches, or a JSON text with the error.
// bench: nanoseconds of CPU for all rules over all events, least of several runs, and how many matched.

use sigma_rust::{rule_from_yaml, Event, Rule};
use std::fs::read_to_string;
use std::hint::black_box;
use std::time::Instant;

const RUNS: usize = 7;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() != 4 {
        eprintln!("usage: sigma-verdicts verdicts|bench RULES EVENTS");
        std::process::exit(2);
    }
    let texts: Vec<String> = serde_json::from_str(&read_to_string(&args[2]).unwrap()).unwrap();
    let rules: Vec<Result<Rule, String>> =
        texts.iter().map(|text| rule_from_yaml(text).map_err(|error| error.to_string())).collect();
    let events: Vec<Event> =
        read_to_string(&args[3]).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    if args[1] == "bench" {
        bench(&rules.into_iter().map(|rule| rule.unwrap()).collect::<Vec<_>>(), &events);
    } else {
        verdicts(&rules, &events);
    }
}

fn verdicts(rules: &[Result<Rule, String>], events: &[Event]) {
    for rule in rules {
        let line = match rule {
            Ok(rule) => {
                let numbers = events.iter().enumerate().filter(|(_, event)| rule.is_match(event)).map(|(i, _)| i);
                serde_json::to_string(&numbers.collect::<Vec<_>>())
            }
            Err(error) => serde_json::to_string(error),
        };
        println!("{}", line.unwrap());
    }
}

fn bench(rules: &[Rule], events: &[Event]) {
    let mut least = u128::MAX;
    let mut matched = 0;
    for _ in 0..RUNS {
        let before = cpu_nanos();
        matched = 0;
        for event in events {
            for rule in rules {
                if black_box(rule).is_match(black_box(event)) {
                    matched += 1;
                }
            }
        }
        least = least.min(cpu_nanos() - before);
    }
    println!("{{\"nanos\":{},\"matched\":{}}}", least, matched);
}

/// CPU time of this process where Linux tells it, else time that has passed.
fn cpu_nanos() -> u128 {
    thread_local!(static START: Instant = Instant::now());
    let told = read_to_string("/proc/self/schedstat").ok();
    let first = told.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    first.unwrap_or_else(|| START.with(|start| start.elapsed().as_nanos()))
}
