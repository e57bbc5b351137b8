/**
 * Returns whether Kubernetes set the variable for a Service whose name begins with ours (see "Services" in its manual, and the older Docker links):
 * `GATELODGE_SERVICE_HOST`, or `GATELODGE_MAIL_PORT_25_TCP_ADDR` for a Service called gatelodge-mail.
 */
export function isServiceLink(name: string, value: string): boolean {
  // A bare `PORT` variable looks like a mistyped GATELODGE_LISTEN; only a value in URL form shows that Kubernetes set it.
  return byName.test(name) || (/^GATELODGE_(?:[A-Z\d_]+_)?PORT$/.test(name) && /^(?:tcp|udp|sctp):\/\//.test(value))
}

const byName =
  /^GATELODGE_(?:[A-Z\d_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z\d_]+)?|PORT_\d{1,5}_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)$/
