import { lettersOf, readingsOf, skeletonOf } from './skeleton.ts'
import type { Username } from './username.ts'

/**
 * Returns whether a username looks as if it spoke for the service: sites behind forward-auth, and people, trust such a name. Administrators may assign it. A
 * name is official if it consists of nothing but official words, the service's name and digits, however it is spelled: `support`, `r00t`, `ad-min`, `admin1`,
 * `supportteam`.
 */
export function isOfficialName(username: Username, serviceName: string): boolean {
  const service = skeletonOf(serviceName)
  const speaking = service === '' ? official : [...official, ...readingsOf(service).map(lettersOf)]
  return readingsOf(skeletonOf(username)).some((name) => isMadeOf(name, speaking))
}

/** Returns whether a name consists of words, at least one of them from `speaking`, and digits. Follows every way to split it, in one pass. */
function isMadeOf(name: string, speaking: readonly string[]): boolean {
  const letters = lettersOf(name)
  const silentUntil = new Set([0])
  const spokenUntil = new Set<number>()
  for (let at = 0; at < name.length; at += 1) {
    const ends = (words: readonly string[]) =>
      words.filter((word) => letters.startsWith(word, at)).map((word) => at + word.length)
    for (const reached of [silentUntil, spokenUntil].filter((each) => each.has(at))) {
      if (/\p{Nd}/u.test(name.charAt(at))) reached.add(at + 1)
      for (const end of ends(accompanying)) reached.add(end)
      for (const end of ends(speaking)) spokenUntil.add(end)
    }
  }
  return spokenUntil.has(name.length)
}

// RFC 2142 first; then accounts of systems and hosts, and those who speak for a service, in the languages of the pages.
const official = wordsOf(`
  info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp
  admin admins adm administrator administrators administration root toor superuser sudo sysadmin sysadm sysop system systems operator operators daemon nobody
  moderator moderators mod mods staff team official officials service services account accounts billing payments payment finance legal privacy
  compliance dpo help helpdesk servicedesk hotline contact contacts feedback complaints
  server host localhost mail email smtp imap pop mailer mailerdaemon noreply donotreply bounce bounces listserv majordomo dns ntp web http
  https ssl tls pki certificate certificates ssladmin ssladministrator sslwebmaster sysadministrator itsupport
  api auth login logout signin signup register registration account settings oauth oidc sso idp identity password passwords
  cron backup monitoring status devops
  administrateur administrateurs administratrice assistance aide securite moderateur moderateurs moderatrice moderation equipe systeme facturation comptes
  verwaltung verwalter sicherheit hilfe kundendienst kundenservice systemverwalter moderatorin administratorin datenschutz vertrieb buchhaltung
  administrador administradora administradores administracion soporte ayuda seguridad moderador moderadora moderadores moderacion equipo sistema
  servicio servicios facturacion contacto cuentas
  المدير مدير الإدارة إدارة الدعم دعم الأمان أمان المشرف مشرف المساعدة مساعدة الفريق فريق أدمن الأدمن`)

// Words that mean nothing alone and are combined with the words above: `customer-support`, `superadmin`, `Kundensupport`.
const accompanying = wordsOf(`
  ca ns it super global chief head customer customers client clients user users technical tech community
  kunden kunde sicherheits verwaltungs system technik cliente clientes usuario usuarios tecnico tecnica technique utilisateur utilisateurs
  العملاء الفني`)

function wordsOf(text: string): string[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => lettersOf(skeletonOf(word)))
}
