"""The files of a folder, for option `fallback`.

function    `static`, which makes the function that serves them
conditions  which part of a file a request asks for, and under which conditions
folder      finds files, and nothing outside of the folder
"""
