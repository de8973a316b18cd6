/** What people in the demo are called and what they say. */
export const languages = ['en', 'de', 'ar', 'ja', 'he', 'pt'] as const;
export type Language = (typeof languages)[number];

export const sentences: Record<Language, readonly string[]> = {
  en: [
    'Can you look at the draft before noon?',
    'The client’s feedback is in; they "love" the second version.',
    "I'll take the onboarding copy, you take the price page.",
    'Moved to Thursday, 14:30, same room.',
    'Numbers are up 12 % on last month, mostly from returning visitors.',
    'Please don’t share this outside the team yet.',
    'Who has the signed contract?',
    'I rewrote the intro; it reads much better aloud.',
    'The build is green again. It was a time zone, as always.',
    'Thanks! That was exactly what I needed.',
    'Could we ask for another week?',
    'See the attachment for the full list.',
  ],
  de: [
    'Kannst du dir den Entwurf bis Mittag ansehen?',
    'Die Rückmeldung ist da: „größtenteils einverstanden“, schreibt Frau Weiß.',
    'Ich übernehme die Begrüßung, du die Preisübersicht.',
    'Der Termin wurde auf Donnerstag verschoben, gleiche Uhrzeit.',
    'Bitte vorerst nicht außerhalb des Teams teilen.',
    'Wer hat den unterschriebenen Auftragsverarbeitungsvertrag?',
    'Die Umsätze liegen bei 12.480,50 € – ein Plus von 8 %.',
    'Danke dir, genau das hat gefehlt.',
  ],
  ar: [
    'هل يمكنك مراجعة المسودة قبل الظهر؟',
    'وصلت ملاحظات العميل، وهو راضٍ عن النسخة الثانية.',
    'تم تأجيل الاجتماع إلى يوم الخميس الساعة ١٤:٣٠.',
    'من لديه العقد الموقّع؟',
    'شكراً جزيلاً، هذا ما كنت أحتاجه بالضبط.',
    'أرسلت الملف report_final(2).pdf إلى البريد.',
  ],
  ja: [
    'お昼までに下書きを確認していただけますか。',
    'お客様からのご意見が届きました。二つ目の案がお気に入りのようです。',
    '会議は木曜日の14時30分に変更になりました。',
    '署名済みの契約書はどなたがお持ちですか?',
    'ありがとうございます。とても助かりました。',
    '添付の一覧をご覧ください。①から⑦までです。',
  ],
  he: [
    'אפשר לעבור על הטיוטה לפני הצהריים?',
    'המשוב מהלקוח הגיע, הגרסה השנייה מצאה חן בעיניו.',
    'הפגישה נדחתה ליום חמישי בשעה 14:30.',
    'למי יש את החוזה החתום?',
    'תודה רבה, בדיוק מה שהייתי צריך.',
  ],
  pt: [
    'Podes ver o rascunho antes do meio-dia?',
    'O retorno do cliente chegou; ele adorou a segunda versão.',
    'A reunião passou para quinta-feira, às 14h30.',
    'Obrigado! Era exatamente o que faltava.',
  ],
};

export const reactions: readonly string[] = [
  '👍',
  '🎉',
  '😅',
  '🙏🏽',
  '👩🏾‍💻',
  '👨‍👩‍👧‍👦',
  '🏳️‍🌈',
  '❤️‍🔥',
  '🇧🇭',
  '🇯🇵',
  '✅',
];

interface Culture {
  language: Language;
  countries: readonly (string | null)[];
  given: readonly string[];
  family: readonly string[];
  /** The same in Latin letters, for addresses. */
  latin: readonly string[];
}

export const cultures: readonly Culture[] = [
  {
    language: 'en',
    countries: ['US', 'GB', 'CA', null],
    given: ['Grace', 'Tunde', 'Siobhán', 'Priya', 'Noah', 'Zoë', 'Callum', 'Imani'],
    family: [
      "O'Brien",
      'Adeyemi',
      'Whitfield',
      'van der Berg',
      'St. John-Smythe',
      'Patel',
      'Nguyễn',
      'Reyes',
    ],
    latin: ['grace', 'tunde', 'siobhan', 'priya', 'noah', 'zoe', 'callum', 'imani'],
  },
  {
    language: 'de',
    countries: ['DE', 'AT', 'DE'],
    given: ['Jürgen', 'Käthe', 'Lukas', 'Annegret', 'Jörg', 'Emine'],
    family: ['Weiß', 'Schönfelder', 'von und zu Hohenstein', 'Yıldız', 'Groß', 'Kowalski'],
    latin: ['juergen', 'kaethe', 'lukas', 'annegret', 'joerg', 'emine'],
  },
  {
    language: 'ar',
    countries: ['BH', 'SA', 'BH'],
    given: ['فاطمة', 'محمد', 'ليلى', 'خالد'],
    family: ['الخليفة', 'بن سعيد', 'الزياني', 'العتيبي'],
    latin: ['fatima', 'mohammed', 'layla', 'khalid'],
  },
  {
    language: 'ja',
    countries: ['JP'],
    given: ['花子', '太郎', 'さくら', 'ケンジ'],
    family: ['佐藤', '髙橋', '渡邉', '𠮷田'],
    latin: ['hanako', 'taro', 'sakura', 'kenji'],
  },
  {
    language: 'he',
    countries: ['IL', null],
    given: ['נועה', 'יעל', 'דוד'],
    family: ['לוי', 'מזרחי', 'פרץ'],
    latin: ['noa', 'yael', 'david'],
  },
  {
    language: 'pt',
    countries: ['BR', 'PT'],
    given: ['João', 'Conceição', 'Inês'],
    family: ['da Silva', 'Araújo', 'Gonçalves'],
    latin: ['joao', 'conceicao', 'ines'],
  },
];

export const roomTitles: Record<Language, readonly string[]> = {
  en: [
    'Launch',
    'Price page',
    'Support: returns',
    'Hiring (confidential)',
    'Weekly "all hands"',
    'R&D <internal>',
  ],
  de: ['Markteinführung', 'Übergabe Büro Köln', 'Straßenfest', 'Buchhaltung 2025/26'],
  ar: ['إطلاق المنتج', 'خدمة العملاء', 'الميزانية'],
  ja: ['新製品', 'お客様サポート', '予算会議'],
  he: ['השקה', 'תמיכת לקוחות', 'תקציב'],
  pt: ['Lançamento', 'Orçamento', 'Apoio ao cliente'],
};

/** Where programs that move text about tend to break. None holds U+0000, which Postgres text cannot. */
export const edgeTexts: readonly string[] = [
  '',
  ' ',
  '\n',
  'line one\nline two\r\nline three\n\n\n',
  'tab\there, vertical\u000b, form\u000c, bell\u0007, escape\u001b[31mred\u001b[0m, delete\u007f',
  'COPY\'s own: \\. \\N \\\\ \\t \u0001\u0002 "quoted" \'single\' `back` ""doubled""',
  '\\.',
  '\\N',
  'null',
  '{"json": "in text", "unterminated": [',
  "Robert'); DROP TABLE atelier.messages;--",
  '<script>alert("x")</script><img src=x onerror=alert(1)> &amp; &lt;',
  '=HYPERLINK("http://127.0.0.1/","open me")',
  '+1+1|cmd',
  '👩‍❤️‍💋‍👨 family 👨‍👩‍👧‍👦 flag 🏴󠁧󠁢󠁳󠁣󠁴󠁿 skin 🙏🏽 keycap 1️⃣',
  'NFC é, NFD e\u0301, ﷽, ﬁ, Å Å Å, İstanbul ıI, ß ẞ, ǆ',
  'zero\u200bwidth, joiner\u200d, bom\ufeff, line\u2028separator, para\u2029graph',
  'right-to-left override: \u202egnp.exe\u202c and isolate \u2066שלום\u2069',
  'שלום, Grace! مرحبا (v2.0) – 50 % off, 3 < 5',
  'Z̸̡̢̛͓̤̪̈́̓̒a̵̰͛l̷̗̈́g̶͙̽o̷̞͝',
  '𝕬𝖗𝖙𝖎𝖘𝖙 𠮷 𐍈 \u{10ffff} \ufffd',
  'C:\\new\\table\\"quoted path"\\',
  '%s %d %n ${HOME} $(id) {{7*7}} #{7*7}',
];

/** A text of 200,000 characters, longer than any buffer that somebody found generous. */
export const longText = 'An unreasonably long message, pasted from somewhere – ünïcödé 長い. '
  .repeat(3100)
  .slice(0, 200_000);

/** File names as people and attackers choose them. Storage paths never hold them. */
export const edgeFileNames: readonly string[] = [
  '../../../../etc/passwd',
  '..\\..\\windows\\system32\\drivers.txt',
  '/etc/shadow',
  'C:\\Users\\me\\Desktop\\notes.txt',
  '.htaccess',
  '..',
  '.',
  ' ',
  'trailing dot.',
  'trailing space.txt ',
  'CON.txt',
  'aux',
  'two\nlines.txt',
  'tab\tand "quotes" and \'more\'.csv',
  'a/b/c/../../d.txt',
  'manifest.json',
  'index.html',
  '%2e%2e%2fescape.txt',
  'semi;colon&amp|pipe$(id).txt',
  'annual\u202efdp.exe',
  'Report.PDF',
  'report.pdf',
  'résumé.pdf',
  're\u0301sume\u0301.pdf',
  'مرفق العقد.pdf',
  'חוזה חתום.pdf',
  '契約書(最終版).pdf',
  '👩🏾‍💻 screenshot 👨‍👩‍👧‍👦.png',
  '__proto__',
  'no extension',
  '.tar.gz',
  `${'very long name '.repeat(40)}.txt`,
  `${'長い名前'.repeat(70)}.csv`,
  '-rf',
  '<b>bold</b>.txt',
];

export const fileNames: readonly string[] = [
  'notes.txt',
  'image.png',
  'Invoice 2025-03.pdf',
  'export.csv',
  'Übersicht.csv',
  'Screenshot 2025-11-02 at 14.03.11.png',
  'contract (signed).pdf',
  'minutes.txt',
];
