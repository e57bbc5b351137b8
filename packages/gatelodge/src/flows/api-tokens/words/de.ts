import type { ApiTokenWords } from './en.ts'

export const de: ApiTokenWords = {
  pages: {
    lead: 'Wer eines dieser Tokens hat, gilt bei den Diensten, die sie annehmen, als Sie. Hüten Sie sie wie Passwörter.',
    none: 'Es gibt keine API-Tokens.',
    scopes: 'Umfang',
    noScopes: 'keiner',
    created: 'Erstellt',
    expires: 'Läuft ab',
    lastUsed: 'Zuletzt benutzt',
    never: 'nie',
    revoke: 'Widerrufen',
    revoked: 'Das Token ist widerrufen.',
    gone: 'Dieses Token war schon widerrufen oder abgelaufen.',
    new: {
      title: 'Neues API-Token',
      name: 'Name',
      nameHint: 'Damit Sie es wiedererkennen, zum Beispiel: Sicherungsskript',
      scopes: 'Umfang (Scopes)',
      scopesHint: 'Was es darf, in den Worten des Dienstes, für den es ist, durch Leerzeichen getrennt',
      expiresIn: 'Gültig für',
      submit: 'Token erstellen',
      made: 'Ihr neues Token. Kopieren Sie es jetzt: Es wird nicht noch einmal gezeigt.',
    },
  },
  mails: {
    created: {
      subject: (serviceName) => `Neues API-Token bei ${serviceName}`,
      preheader: 'Wenn Sie es waren, ist nichts zu tun.',
      body: (serviceName, moment, end) =>
        `Für Ihr Konto bei ${serviceName} wurde am ${moment} ein API-Token erstellt. Bis ${end} gelten Programme, die es haben, als Sie.`,
      look: 'Alle Ihre Tokens ansehen und widerrufen, was Sie nicht brauchen:',
      footer: 'Sie erhalten diese Nachricht, weil sie die Sicherheit Ihres Kontos betrifft.',
    },
  },
}
