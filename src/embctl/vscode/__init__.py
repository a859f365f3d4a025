"""VS Code and its relatives: where they keep tasks and keybindings, and what embctl puts there.

The one table is `hotkeys`; `rules` makes tasks and keybindings of it; `block` puts them into a file's text and takes
them out; `editors` finds the folders, `saving` writes. Nothing here prints or decides for the user.
"""
