import type { EmailVerificationWords } from './en.ts'

export const de: EmailVerificationWords = {
  pages: {
    sent: {
      title: 'Sehen Sie in Ihr Postfach',
      text: 'Öffnen Sie den Link in unserer Nachricht, um fortzufahren. Das kann eine Minute dauern; sehen Sie auch im Spam-Ordner nach.',
      again: 'Nichts angekommen? Link noch einmal schicken',
      signIn: 'Zur Anmeldung',
    },
    confirm: {
      title: 'Adresse bestätigen',
      lead: 'Ein Klick, und Ihre Adresse ist bestätigt.',
      protect: 'Geben Sie zum Schutz Ihres Kontos das Passwort ein, das Sie bei der Registrierung gewählt haben.',
      password: 'Passwort',
      submit: 'Meine Adresse bestätigen',
      done: 'Ihre E-Mail-Adresse ist bestätigt. Sie können sich jetzt anmelden.',
      doneSignedIn: 'Ihre E-Mail-Adresse ist bestätigt.',
      expiredTitle: 'Dieser Link gilt nicht mehr',
      expired:
        'Links gelten einmal und nur kurze Zeit. Wenn Ihre Adresse schon bestätigt ist, melden Sie sich an; sonst fordern Sie einen neuen Link an.',
      again: 'Neuen Link anfordern',
      signIn: 'Zur Anmeldung',
    },
    resend: {
      title: 'Link noch einmal schicken',
      lead: 'Geben Sie die E-Mail-Adresse ein, mit der Sie sich registriert haben. Wir schicken Ihnen einen neuen Link.',
      email: 'E-Mail-Adresse',
      submit: 'Link schicken',
      back: 'Zurück zur Anmeldung',
      sent: 'Wenn diese Adresse auf eine Bestätigung wartet, ist ein neuer Link unterwegs.',
      nothingWaits: 'Für diese Adresse steht keine Bestätigung aus',
    },
  },
  mails: {
    verification: {
      subject: (serviceName) => `Bitte bestätigen Sie Ihr Konto bei ${serviceName}`,
      preheader: 'Ein Klick, und Ihr Konto ist bereit.',
      body: (serviceName) =>
        `Vielen Dank für Ihre Registrierung bei ${serviceName}. Bestätigen Sie, dass diese Adresse Ihnen gehört, und Ihr Konto ist bereit.`,
      action: 'Mein Konto bestätigen',
      notYou:
        'Wenn Sie sich nicht registriert haben, beachten Sie diese Nachricht nicht: Es gibt kein Konto, solange der Link nicht benutzt wird.',
      footer: 'Sie erhalten diese Nachricht, weil sich jemand mit dieser Adresse registriert hat.',
    },
    accountExists: {
      subject: (serviceName) => `Sie haben schon ein Konto bei ${serviceName}`,
      preheader: 'Jemand wollte sich mit Ihrer Adresse registrieren. Nichts wurde geändert.',
      body: (serviceName) =>
        `Jemand, vielleicht Sie selbst, wollte sich bei ${serviceName} mit dieser Adresse registrieren. Sie haben schon ein Konto, deshalb wurde nichts geändert.`,
      action: 'Anmelden',
      forgotten: 'Wenn Sie Ihr Passwort nicht mehr wissen, wählen Sie ein neues:',
      notYou: 'Wenn Sie es nicht waren, ist nichts zu tun.',
      footer: 'Sie erhalten diese Nachricht, weil sich jemand mit der Adresse Ihres Kontos registrieren wollte.',
    },
    welcome: {
      subject: (serviceName) => `Willkommen bei ${serviceName}`,
      preheader: 'Ihr Konto ist bereit.',
      body: (serviceName) =>
        `Willkommen bei ${serviceName}. Ihr Konto ist bereit, und Sie können sich jederzeit anmelden.`,
      action: 'Anmelden',
      footer: 'Sie erhalten diese Nachricht, weil Sie ein neues Konto haben.',
    },
  },
}
