"""Configuration of Sphinx for the pages that `assemble.py` assembles. See cargo xtask docs."""

project = "Sordino"
author = "the Sordino authors"
copyright = "the Sordino authors; MIT or Apache-2.0"

extensions = ["myst_parser"]
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "tasklist"]
# The same anchors as on GitHub.
myst_heading_anchors = 4
# Some languages have no lexer, and some code blocks contain `…`.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "Sordino"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b6158",
        "color-brand-content": "#0b6158",
        "color-brand-visited": "#0b6158",
        "color-sidebar-link-text": "var(--color-foreground-secondary)",
        "color-sidebar-link-text--top-level": "var(--color-foreground-secondary)",
        "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
    },
    "dark_css_variables": {
        "color-brand-primary": "#63cdbd",
        "color-brand-content": "#63cdbd",
        "color-brand-visited": "#63cdbd",
        "color-sidebar-link-text": "var(--color-foreground-secondary)",
        "color-sidebar-link-text--top-level": "var(--color-foreground-secondary)",
    },
}
