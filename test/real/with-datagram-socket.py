# Does what systemd does for sealwatch-syslog.socket: makes a Unix datagram socket and starts a command that has it as file
# descriptor 3. Usage: with-datagram-socket.py PATH COMMAND...
import os
import socket
import sys

path, command = sys.argv[1], sys.argv[2:]
if os.path.exists(path):
    os.unlink(path)
made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
made.bind(path)
os.chmod(path, 0o660)
os.dup2(made.fileno(), 3)
os.set_inheritable(3, True)
os.execvp(command[0], command)
