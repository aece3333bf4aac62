"""From estimates to the state of a variant: what is decided, which guardrails hold, what forbids a verdict."""
