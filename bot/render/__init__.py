"""Results as people read them: Markdown on GitHub, Block Kit in Slack, text in a terminal.

reply.py says what a result says, surfaces.py what the comment, the check and the card show; markdown.py, blocks.py and
terminal.py write it.
"""
