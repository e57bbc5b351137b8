import type { Username } from './username.ts'

/**
 * Whether a username looks as if it spoke for the service: sites behind forward-auth, and people, believe such a name. Administrators may give it. Read
 * without separators and accents, and with digits for the letters that they look like, alone or together: `support`, `r00t`, `ad-min`, `acme.support`.
 */
export function isOfficialName(username: Username, serviceName: string): boolean {
  const service = skeleton(serviceName)
  return (
    username.split(/[._-]/).every((word) => isOfficial(skeleton(word), service)) ||
    isOfficial(skeleton(username), service)
  )
}

function isOfficial(name: string, service: string): boolean {
  if (official.has(name)) return true
  if (service === '') return false
  if (name === service) return true
  if (name.startsWith(service)) return isOfficial(name.slice(service.length), service)
  return name.endsWith(service) && isOfficial(name.slice(0, -service.length), service)
}

/** What a name looks like at a glance. */
function skeleton(text: string): string {
  const letters = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{Nd}]/gu, '')
  return letters.replace(/[01345789i]/g, (character) => lookalikes[character] ?? character)
}

const lookalikes: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'l',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  8: 'b',
  9: 'g',
  i: 'l',
}

// RFC 2142 first; then accounts of systems, hosts, and those who speak for a service, in the languages of the pages.
const official: ReadonlySet<string> = new Set(
  `info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp
  admin admins administrator administrators administration root toor superuser sudo sysadmin sysop system systems operator daemon nobody
  moderator mod staff team official officials service services account accounts billing payments payment finance legal privacy
  compliance dpo help helpdesk contact contacts feedback complaints
  server host localhost mail email smtp imap pop mailer mailerdaemon noreply donotreply bounce bounces listserv majordomo dns ns ntp web http
  https ssl tls pki ca certificate certificates ssladmin ssladministrator sslwebmaster sysadministrator itsupport
  api auth login logout signin signup register registration account settings oauth oidc sso idp identity password passwords
  cron backup monitoring status devops
  administrateur administratrice assistance aide securite moderateur equipe systeme
  verwaltung sicherheit hilfe kundendienst kundenservice systemverwalter
  administrador administradora soporte ayuda seguridad moderador equipo sistema
  المدير مدير الإدارة إدارة الدعم دعم الأمان المشرف مشرف مساعدة`
    .split(/\s+/)
    .map(skeleton),
)
