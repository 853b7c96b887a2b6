# Audit devices for OpenBao 2.4 and newer: part of the server's configuration, the same on all nodes, read at start and on SIGHUP.
# The file comes first; OpenBao must be able to write it whatever happens to sealwatch.

audit "file" "file" {
  description = "complete record on disk"
  options {
    file_path            = "/var/log/openbao/audit.log"
    hmac_accessor        = "false"
    elide_list_responses = "true"
  }
}

audit "socket" "sealwatch" {
  description = "sealwatch, as it happens"
  options {
    address              = "/run/sealwatch/audit.sock"
    socket_type          = "unix"
    write_timeout        = "2s"
    hmac_accessor        = "false"
    elide_list_responses = "true"
  }
}
