import type { ProfileWords } from './en.ts'

export const ar: ProfileWords = {
  pages: {
    profile: {
      title: 'الملف الشخصي',
      firstName: 'الاسم الأول',
      lastName: 'اسم العائلة',
      username: 'اسم المستخدم',
      phone: 'رقم الهاتف',
      website: 'الموقع الإلكتروني',
      webHint: 'يبدأ بـ https://\u200e',
      github: 'صفحة GitHub',
      birthDate: 'تاريخ الميلاد',
      language: 'اللغة',
      asBrowser: 'لغة المتصفح',
      submit: 'حفظ',
      saved: 'تم حفظ ملفك الشخصي.',
    },
    picture: {
      title: 'الصورة',
      current: 'صورتك',
      file: 'صورة جديدة',
      hint: 'PNG أو JPEG أو WebP أو AVIF، بحجم أقصاه 5 ميغابايت. تُقص الصورة على شكل مربع.',
      submit: 'استخدام هذه الصورة',
      changed: 'تم تغيير صورتك.',
      remove: 'إزالة الصورة',
      removed: 'تمت إزالة صورتك.',
      image_invalid: 'تعذرت قراءة هذه الصورة: اختر ملفًا بصيغة PNG أو JPEG أو WebP أو AVIF',
      image_too_large: 'حجم هذه الصورة أكبر من 5 ميغابايت أو 40 ميغابكسل',
    },
  },
}
