# Usage: convert.py RULES: a JSON list of texts, each one Sigma file. Prints a JSON list: of every rule and correlation in them
# {title, kind, queries: {backend: query or null}, errors: {backend: why there is none}}; of a text that cannot be read {error}.

import json
import sys

from sigma.backends.elasticsearch import ESQLBackend, LuceneBackend
from sigma.backends.splunk import SplunkBackend
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule

BACKENDS = {"lucene": LuceneBackend, "esql": ESQLBackend, "splunk": SplunkBackend}


def convert(backend, text, at):
    """The queries of the rule at this place. The text is read anew: backends change what they convert."""
    rules = SigmaCollection.from_yaml(text)
    rule = rules.rules[at]
    if not isinstance(rule, SigmaCorrelationRule):
        # Also a rule that only feeds a correlation, which pySigma gives no query of its own.
        rule._output = True
        return backend.convert(SigmaCollection([rule]))
    # A correlation needs what it counts to be converted with it.
    backend.convert(rules)
    return rule.get_conversion_result()


def describe(text):
    try:
        rules = SigmaCollection.from_yaml(text).rules
    except Exception as error:
        return [{"error": f"{type(error).__name__}: {error}"}]
    return [told(text, at, rule) for at, rule in enumerate(rules)]


def told(text, at, rule):
    queries, errors = {}, {}
    for name, backend in BACKENDS.items():
        try:
            queries[name] = convert(backend(), text, at)
        except Exception as error:
            errors[name] = f"{type(error).__name__}: {error}"
    kind = "correlation" if isinstance(rule, SigmaCorrelationRule) else "rule"
    return {"title": rule.title, "kind": kind, "queries": queries, "errors": errors}


with open(sys.argv[1], encoding="utf-8") as file:
    texts = json.load(file)
print(json.dumps([one for text in texts for one in describe(text)], default=str))
