"""A language model that words explanations and blurbs, if the settings name one: asked within limits, never trusted.

    facts ─► prompts ─► client, which speaks a protocol ─► writer, whose answers the guard lets pass ─► text

Whatever goes wrong, the caller gets a failure by name within the deadline, and tells the facts by the rules.
"""
