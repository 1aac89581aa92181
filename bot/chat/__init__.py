"""From a comment or a click to a reply: parse, authorise, dispatch, answer."""
