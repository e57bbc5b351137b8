/**
 * Reduces a text to what it looks like at a glance (after UTS 39, section 4): base letters and digits. Accents, strokes, separators and the script of a
 * borrowed letter are ignored.
 */
export function skeletonOf(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{Nd}]|\p{Lm}|[ꞌꞏ]/gu, '')
    .replace(/[^a-z0-9]/gu, (letter) => bases.get(letter) ?? letter)
}

/** Replaces the digits of a skeleton with the letters they resemble. Keeps the length. */
export function lettersOf(skeleton: string): string {
  return skeleton.replace(/[01345789i]/g, (character) => lookalikes[character] ?? character)
}

/** Returns the readings of a skeleton: as it is, with `Aerzte` and `Aarhus` for `Ärzte` and `Århus`, and with pairs of letters that look like one. */
export function readingsOf(skeleton: string): string[] {
  return [
    skeleton,
    skeleton.replace(/([aou])e|aa/g, (_, vowel?: string) => vowel ?? 'a'),
    skeleton.replaceAll('rn', 'm').replaceAll('vv', 'w'),
  ]
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

// Letters that NFKD leaves unchanged: with strokes, hooks and tails, small capitals, turned letters, those of Cyrillic, Greek and Armenian (a username has one
// script, and some words can be written in theirs), and the Arabic letters that are typed for one another.
const bases: ReadonlyMap<string, string> = new Map(
  `a ɑɐɒᴀⱥᶏꞻꬰаαᶐꬱꭤ
  b ƀɓʙᵬƃᴃᶀꞗвьβƅꞵ
  c ƈȼɕᴄꞓꞔↄᴐсꜿʗ𝼝
  d đðɖɗᴅᵭᶁƌȡᶑᴆԁꝺꟈ
  e ɇǝəɛɘɜᴇⱸᶒꬲꬳеєҽεɚɝɞʚᴈᶓᶔᶕⱻꬴ
  f ƒꜰᵮᶂꞙꬵꝼʄ
  g ǥɠɡɢᶃꞡꬶԍցᵷᵹʛꟑ
  h ħɦʜⱨɧꜧꞕһнћհɥʮʯⱶ
  i ıɨɪᵻᶖɩᴉꟾіιӏǀꞁᵼꞽǃ𝼚
  j ȷɉʝɟᴊјϳյ
  k ƙᴋⱪꝁꝃꝅᶄĸꞣкκʞ
  l łƚɫɬɭʟⱡᶅȴꝉꝇᴌꞎꬷꬸꬹʅ𝼄𝼑𝼓
  m ɱᴍᵯᶆꬺɯмᴟꟺꟽꟿ
  n ɲɳƞŋɴᵰᶇȵꞑꞥꬻꬼᴎпηոռ𝼇𝼔
  o øɔɵᴏⱺꝋꝍᴓᴑꬽꬾоοσөօɷᶗꬿȣᴒꟁ𝼛
  p ƥᵽᴘꝑꝓꝕᵱᶈƿþрρ
  q ʠɋꝗꝙԛզꞯ
  r ɍɼɽɾɿʀɹᴙᵲᵳᶉꞧꝛꭇꭈꭉгɺɻʁᴚꭅꭆꭋꭌꞃⱹ𝼖
  s ʂȿꜱᵴᶊꞩƨʃѕςꞅꟊꟗꟙẜẝʆ𝼞
  t ŧƫƭʈᴛⱦᵵȶʇтτꞇ𝼉
  u ʉʊᴜᵾᶙꭎꭏꭒꞹиυμսᵿꞿᴝ
  v ʋᴠⱱⱴᶌꝟʌѵνỽꝩ
  w ʍⱳᴡɰԝωաꟃꞷ
  x ᶍꭖхχꭓꭔꭕꭗꭘꭙ
  y ƴɏʏỿꭚʎуүγ
  z ƶʐʑᴢⱬᵶᶎȥɀʒꝣƹƺʓᴣ
  aa ꜳ
  ae æᴁ
  ao ꜵ
  au ꜷ
  av ꜹꜻ
  ay ꜽ
  db ȸ
  ll ỻǁ
  ls ʪ
  oe œɶꭢ
  oo ꝏ
  ss ß
  th ᵺ
  ts ʦꭧ
  ue ᵫ
  ui ꭐ
  um ꝸ
  ا ٱ
  ه ةەہھۃ
  ي ىیے
  ك کڪ`
    .split(/\s*\n\s*/)
    .flatMap((line) => {
      const [base = '', letters = ''] = line.split(' ')
      return [...letters].map((letter) => [letter, base] as const)
    }),
)
