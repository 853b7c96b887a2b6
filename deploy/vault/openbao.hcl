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

# Instead of the socket, when sealwatch runs on another host. OpenBao 2.5 and newer; from its source, not run.
# The file holds `Bearer TOKEN` without a newline at its end.
#
# audit "http" "sealwatch" {
#   description = "sealwatch, as it happens"
#   options {
#     uri                  = "https://sealwatch.example:8332/"
#     headers              = "{\"Authorization\": [\"file:///etc/openbao/sealwatch-authorization\"]}"
#     hmac_accessor        = "false"
#     elide_list_responses = "true"
#   }
# }
