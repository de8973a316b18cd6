import { articlesOf } from './gdpr.js';
import { type Ground, onAccess, onBoth, uncheckedOnAccess, uncheckedOnBoth } from './ground.js';

const sch2 = (paragraph: string) => `Data Protection Act 2018 Sch. 2 para. ${paragraph}`;

/** The articles, and the exemptions of the Data Protection Act 2018 that a private controller can meet with. */
export const ukGdprGrounds: readonly Ground[] = [
  ...articlesOf('UK GDPR'),
  ...onBoth([
    [
      'crime_and_taxation',
      sch2('2'),
      'Crime and taxation',
      'Doing what you ask would be likely to prejudice the prevention or detection of crime, the prosecution of offenders, or the assessment or collection of tax.',
    ],
  ]),
  ...uncheckedOnBoth([
    [
      'legal_proceedings',
      sch2('5'),
      'Required by law or for legal proceedings',
      'Doing what you ask would prevent a disclosure that the law or a court requires, or one that is necessary for legal proceedings or legal advice.',
    ],
    [
      'protection_of_the_public',
      sch2('7'),
      'Functions that protect the public',
      'Doing what you ask would be likely to prejudice a function designed to protect the public.',
    ],
    [
      'regulatory_functions',
      sch2('8 to 12'),
      'Audit and regulatory functions',
      'Doing what you ask would be likely to prejudice the proper discharge of an audit or regulatory function.',
    ],
    [
      'journalism_art_academia',
      sch2('26'),
      'Journalism, academia, art and literature',
      'This data is processed for publication in the public interest, and doing what you ask would be incompatible with that.',
    ],
  ]),
  ...onAccess([
    [
      'legal_privilege',
      sch2('19'),
      'Legal professional privilege',
      'This is covered by legal professional privilege or by a lawyer’s duty of confidentiality.',
    ],
    [
      'self_incrimination',
      sch2('20'),
      'Self-incrimination',
      'Giving you this would reveal evidence of an offence and expose somebody to proceedings for it.',
    ],
  ]),
  ...uncheckedOnAccess([
    [
      'information_about_others',
      sch2('16'),
      'Information about another individual',
      'This would disclose information about another person who can be identified from it, who has not consented, and whose consent it is reasonable to require.',
    ],
    [
      'corporate_finance',
      sch2('21'),
      'Corporate finance',
      'This data is processed for a corporate finance service, and giving it would be likely to affect the price of an instrument or an important economic interest.',
    ],
    [
      'management_forecasts',
      sch2('22'),
      'Management forecasts',
      'This data is processed for management forecasting or planning, and giving it would be likely to prejudice the conduct of the business.',
    ],
    [
      'negotiations',
      sch2('23'),
      'Negotiations with the person',
      'This records our intentions in negotiations with you, and giving it would be likely to prejudice them.',
    ],
    [
      'confidential_references',
      sch2('24'),
      'Confidential references',
      'This is a reference given in confidence for education, employment, volunteering, an office or a service.',
    ],
    [
      'exam_scripts',
      sch2('25'),
      'Exam scripts and marks',
      'This was recorded by candidates during an exam, or is a mark that has not been announced yet.',
    ],
    [
      'research_statistics',
      sch2('27'),
      'Research and statistics',
      'This data is processed for research or statistics whose results identify nobody, and giving it would prevent or seriously impair them.',
    ],
    [
      'archiving',
      sch2('28'),
      'Archiving in the public interest',
      'This data is processed for archiving in the public interest, and giving it would prevent or seriously impair that.',
    ],
    [
      'health_education_social_work',
      'Data Protection Act 2018 Sch. 3',
      'Health, social work, education and child abuse data',
      'This is health, social work, education or child abuse data, and giving it could cause serious harm or is otherwise excepted.',
    ],
  ]),
];
