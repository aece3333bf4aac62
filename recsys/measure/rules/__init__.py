"""What a shop's rules cost and bring: every rule alone, all of them, and curves over the knobs that rules have."""
