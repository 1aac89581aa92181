"""Messages as people read them: Markdown on GitHub, Block Kit in Slack, text in a terminal.

reply.py renders what commands answer, surfaces.py the comment, the checks and the Slack messages; documents/ has their
contents; markdown.py, blocks.py and terminal.py write a document for one platform.
"""
