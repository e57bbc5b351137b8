import type { PasswordChangeWords } from './en.ts'

export const ar: PasswordChangeWords = {
  pages: {
    title: 'كلمة المرور',
    old: 'كلمة المرور الحالية',
    new: 'كلمة المرور الجديدة',
    confirmation: 'كلمة المرور الجديدة مرة أخرى',
    hint: (length) => `الحد الأدنى لعدد الأحرف: ${length}. من السهل تذكّر بضع كلمات لا صلة بينها`,
    submit: 'تغيير كلمة المرور',
    changed: 'تم تغيير كلمة مرورك، وأُنهيت جلساتك على الأجهزة الأخرى.',
  },
  mails: {
    changed: {
      subject: (serviceName) => `تم تغيير كلمة مرورك في ${serviceName}`,
      preheader: 'إذا كنت أنت من فعل ذلك، فلا داعي لأي إجراء.',
      body: (serviceName, moment) =>
        `تم تغيير كلمة مرور حسابك في ${serviceName} يوم ${moment}. وأُنهيت جميع الجلسات الأخرى.`,
      footer: 'تصلك هذه الرسالة لأنها تتعلق بأمان حسابك.',
    },
  },
}
