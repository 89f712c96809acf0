"""The real process against faults and kill -9, for as long as wanted; then all that was held must be there, once.

A LookupEvents stand-in (late, unordered events; two calls a second) and a log group (moto) hold overlapping events; a
proxy in front of both resets, truncates, garbles, throttles and fails a third of the answers; smwatch is killed with
SIGKILL and started again at random. After each kill, the journal must hold what it claims to, and claim no less than
before; in the end, what smwatch printed and what its journal holds are compared with what the services hold.
"""
