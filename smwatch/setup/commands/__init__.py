"""`smwatch setup`, `doctor`, `drill` and `policy`: options in, sentences and exit codes out.

Everything heavy is imported when a command runs: the command line loads these files to know their options.
"""
