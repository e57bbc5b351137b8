/**
 * Whether Kubernetes made a variable for a Service whose name begins with ours (its manual, "Services", and the older links of Docker):
 * `GATELODGE_SERVICE_HOST`, or `GATELODGE_MAIL_PORT_25_TCP_ADDR` for one called gatelodge-mail.
 */
export function isServiceLink(name: string, value: string): boolean {
  // A port alone looks like a mistyped GATELODGE_LISTEN; only its form of a URL tells where it comes from.
  return byName.test(name) || (/^GATELODGE_(?:[A-Z\d_]+_)?PORT$/.test(name) && /^(?:tcp|udp|sctp):\/\//.test(value))
}

const byName =
  /^GATELODGE_(?:[A-Z\d_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z\d_]+)?|PORT_\d{1,5}_(?:TCP|UDP|SCTP)(?:_(?:ADDR|PORT|PROTO))?)$/
