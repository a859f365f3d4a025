"""The native runtime: the same services as supervised processes of this machine, where there is no container engine.

`engine.py` is the seam's implementation; nothing above it knows the difference. What it cannot give, compared with
containers: no limits on memory, processes or capabilities, no own network, no read-only root. Services see the
environment of the embctl that started them, under their own. After the machine was restarted nothing runs until the
next start.

    state/lock                    held while names, ports, networks and volumes are looked at and changed
    state/networks/NAME.json      a network: its labels
    state/locks/ID                held by the container's supervisor as long as it lives, or by who acts in its place
    state/containers/ID/          its records (*.json), log/, what the process wrote lately
    data/volumes/NAME/            a volume
    data/labels/NAME.json         the labels of a volume that embctl made
"""
