import type { SessionWords } from './en.ts'

export const ar: SessionWords = {
  pages: {
    lead: 'هذه الأجهزة مسجّل الدخول منها إلى حسابك.',
    current: 'هذا الجهاز',
    lastSeen: 'آخر نشاط',
    started: 'تسجيل الدخول',
    address: 'عنوان IP',
    noAddress: 'غير معروف',
    end: 'إنهاء هذه الجلسة',
    ended: 'تم إنهاء الجلسة.',
    gone: 'كانت هذه الجلسة منتهية من قبل.',
    endOthers: 'تسجيل الخروج من كل الأجهزة الأخرى',
    othersEnded: 'تم تسجيل خروجك من كل الأجهزة الأخرى.',
    logout: {
      title: 'تسجيل الخروج',
      lead: 'هل تريد تسجيل الخروج من هذا الجهاز؟',
      submit: 'تسجيل الخروج',
      back: 'العودة إلى الحساب',
      done: 'تم تسجيل خروجك.',
    },
  },
}
