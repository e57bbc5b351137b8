import type { EmailChangeWords } from './en.ts'

export const de: EmailChangeWords = {
  pages: {
    account: {
      title: 'E-Mail-Adresse',
      current: 'Bisherige Adresse',
      unconfirmed: 'Diese Adresse ist noch nicht bestätigt.',
      resend: 'Link erneut senden',
      new: 'Neue E-Mail-Adresse',
      password: 'Bisheriges Passwort',
      submit: 'Adresse ändern',
      requested: 'Ein Link ist unterwegs an die neue Adresse. Bevor Sie ihn öffnen, ändert sich nichts.',
    },
    confirm: {
      title: 'Neue Adresse bestätigen',
      lead: 'Ihr Konto verwendet dann die Adresse, an die dieser Link ging. Sie bleiben nur auf diesem Gerät angemeldet.',
      submit: 'Diese Adresse bestätigen',
      done: 'Ihre E-Mail-Adresse ist geändert. Melden Sie sich mit der neuen an.',
      doneSignedIn: 'Ihre E-Mail-Adresse ist geändert.',
      expiredTitle: 'Dieser Link gilt nicht mehr',
      expired: 'Links gelten einmal und nur kurze Zeit. In Ihrem Konto können Sie die Änderung noch einmal anfordern.',
      way: 'Zu meinem Konto',
    },
    undo: {
      title: 'Frühere Adresse zurückholen',
      lead: 'Ihr Konto verwendet dann wieder die Adresse, an die dieser Link ging. Alle werden abgemeldet, und Sie erhalten einen Link, um ein neues Passwort zu wählen.',
      submit: 'Änderung rückgängig machen',
      done: 'Ihre E-Mail-Adresse ist wiederhergestellt, und alle sind abgemeldet. Wir schicken Ihnen einen Link, um ein neues Passwort zu wählen.',
      expiredTitle: 'Dieser Link gilt nicht mehr',
      expired:
        'Eine Änderung lässt sich einmal rückgängig machen, 72 Stunden lang. Wenn jemand anderes Ihr Konto benutzt, wenden Sie sich an die Betreiber dieses Dienstes.',
      way: 'Zur Anmeldung',
    },
  },
  mails: {
    confirm: {
      subject: (serviceName) => `Bestätigen Sie Ihre neue E-Mail-Adresse für ${serviceName}`,
      preheader: 'Ein Klick, und Ihr Konto verwendet diese Adresse.',
      body: (serviceName) =>
        `Sie möchten diese Adresse für Ihr Konto bei ${serviceName} verwenden. Bestätigen Sie, dass sie Ihnen gehört:`,
      action: 'Diese Adresse bestätigen',
      notYou:
        'Wenn Sie das nicht wollten, beachten Sie diese Nachricht nicht: Nichts ändert sich, solange der Link nicht benutzt wird.',
      footer: 'Sie erhalten diese Nachricht, weil jemand diese Adresse für ein Konto verwenden möchte.',
    },
    requested: {
      subject: (serviceName) => `Neue E-Mail-Adresse bei ${serviceName} angefragt`,
      preheader: 'Noch hat sich nichts geändert.',
      body: (serviceName, moment) =>
        `Jemand, der in Ihrem Konto bei ${serviceName} angemeldet ist, wollte am ${moment} dessen E-Mail-Adresse ändern. Nichts ändert sich, solange der Link an die neue Adresse nicht benutzt wird.`,
      wasYou:
        'Wenn Sie es waren, ist nichts zu tun. Wenn nicht, wählen Sie jetzt ein neues Passwort: Damit werden alle abgemeldet, und die Anfrage ist hinfällig.',
      action: 'Neues Passwort wählen',
      footer: 'Sie erhalten diese Nachricht, weil sie die Sicherheit Ihres Kontos betrifft.',
    },
    notice: {
      subject: (serviceName) => `Ihre E-Mail-Adresse bei ${serviceName} wurde geändert`,
      preheader: 'Wenn Sie es waren, ist nichts zu tun.',
      body: (serviceName) => `Die E-Mail-Adresse Ihres Kontos bei ${serviceName} wurde geändert.`,
      newAddress: 'Neue Adresse',
      wasYou:
        'Wenn Sie es waren, ist nichts zu tun. Wenn nicht, machen Sie die Änderung rückgängig: Ihr Konto bekommt diese Adresse zurück, alle werden abgemeldet, und Sie erhalten einen Link, um ein neues Passwort zu wählen.',
      action: 'Änderung rückgängig machen',
      footer: 'Sie erhalten diese Nachricht, weil sie die Sicherheit Ihres Kontos betrifft.',
    },
    addressInUse: {
      subject: (serviceName) => `Ihre Adresse wird bei ${serviceName} schon verwendet`,
      preheader: 'Jemand wollte Ihre Adresse für ein anderes Konto verwenden. Nichts wurde geändert.',
      body: (serviceName) =>
        `Jemand, vielleicht Sie selbst, wollte diese Adresse für ein anderes Konto bei ${serviceName} verwenden. Sie gehört schon zu Ihrem Konto, deshalb wurde nichts geändert.`,
      notYou: 'Es ist nichts zu tun.',
      footer: 'Sie erhalten diese Nachricht, weil jemand die Adresse Ihres Kontos eingegeben hat.',
    },
    restored: {
      subject: (serviceName) => `Ihre E-Mail-Adresse bei ${serviceName} wurde wiederhergestellt`,
      preheader: 'Wählen Sie jetzt ein neues Passwort.',
      body: (serviceName) =>
        `Die Änderung wurde rückgängig gemacht: Ihr Konto bei ${serviceName} verwendet wieder diese Adresse, und alle wurden abgemeldet. Wer die Adresse geändert hat, kennt vielleicht Ihr Passwort; wählen Sie deshalb jetzt ein neues:`,
      action: 'Neues Passwort wählen',
      footer: 'Sie erhalten diese Nachricht, weil sie die Sicherheit Ihres Kontos betrifft.',
    },
  },
}
