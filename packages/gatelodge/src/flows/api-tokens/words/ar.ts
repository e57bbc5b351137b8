import type { ApiTokenWords } from './en.ts'

export const ar: ApiTokenWords = {
  pages: {
    lead: 'كل برنامج يحمل أحد هذه الرموز تعامله الخدمات التي تقبلها كأنه أنت. احفظها كما تحفظ كلمات المرور.',
    none: 'لا توجد رموز API.',
    scopes: 'النطاقات',
    noScopes: 'لا شيء',
    created: 'أُنشئ',
    expires: 'ينتهي',
    lastUsed: 'آخر استخدام',
    never: 'لم يُستخدم',
    revoke: 'إلغاء',
    revoked: 'أُلغي الرمز.',
    gone: 'كان هذا الرمز ملغى أو منتهيًا من قبل.',
    new: {
      title: 'رمز API جديد',
      name: 'الاسم',
      nameHint: 'لتتعرف عليه لاحقًا، مثل: برنامج النسخ الاحتياطي',
      scopes: 'النطاقات',
      scopesHint: 'ما يُسمح له به، بكلمات الخدمة التي أُنشئ لها، وبينها مسافات',
      expiresIn: 'صالح لمدة',
      submit: 'إنشاء الرمز',
      made: 'رمزك الجديد. انسخه الآن، فلن يظهر مرة أخرى.',
    },
  },
  mails: {
    created: {
      subject: (serviceName) => `رمز API جديد في ${serviceName}`,
      preheader: 'إذا كنت أنت من فعل ذلك فلا حاجة إلى أي إجراء.',
      body: (serviceName, moment, end) =>
        `أُنشئ رمز API لحسابك في ${serviceName} في ${moment}. وحتى ${end} تُعامل البرامج التي تحمله كأنها أنت.`,
      look: 'اعرض كل رموزك وألغِ ما لا تحتاج إليه:',
      footer: 'تصلك هذه الرسالة لأنها تتعلق بأمان حسابك.',
    },
  },
}
