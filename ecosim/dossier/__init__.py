"""Reports of what a folder holds, for people: one document, written as HTML, PDF or Markdown.

`making` reads a folder and makes the `document`; `run`, `comparison`, `atlas`, `sweep` and `policy` say what is in
theirs, `claims` how strong a sentence may be, `standing` what all have in common; `text` (HTML, Markdown) and `pdf`
write it.
"""
