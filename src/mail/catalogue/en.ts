import { type Catalogue } from './catalogue.js';
import { type Formats } from './formats.js';
import {
  type Block,
  button,
  type Enclosure,
  facts,
  heading,
  leadingTo,
  list,
  paragraph,
  paragraphs,
  section,
} from './letter.js';
import { type Asked, type MailParams } from './params.js';

const rightsHeading = 'If you disagree';

/** "You asked Atelier for …" */
function forWhat({ kind, scope, workspace }: Asked): string {
  if (scope === 'workspace') {
    const named = workspace ? `the workspace “${workspace}”` : 'your workspace';
    return kind === 'access' ? `a copy of everything in ${named}` : `the deletion of ${named}`;
  }
  const where = workspace ? ` in the workspace “${workspace}”` : '';
  return kind === 'access'
    ? `a copy of your personal data${where}`
    : `the deletion of your personal data${where}`;
}

/** How it came to what the letter is about, in a sentence or two. */
const opening = ({ controller, asked }: { controller: string; asked: Asked }): string =>
  asked.endedWith === undefined
    ? `You asked ${controller} for ${forWhat(asked)}.`
    : `The workspace “${asked.endedWith}” was deleted, and you belong to no other. ${controller} ends an account with its last workspace, so your personal data is deleted too. You have not asked for this yourself.`;

/** "about your request for …" */
const matter = (asked: Asked): string =>
  asked.endedWith === undefined ? `your request for ${shortly(asked)}` : 'the end of your account';

/** Why anybody gets the letter at all: not everybody has asked for something. */
function occasion({ kind, scope, endedWith }: Asked): string {
  if (endedWith !== undefined) return 'your account there ends';
  if (kind === 'deletion' && scope === 'workspace') return 'it is about a workspace of yours';
  return 'a request about personal data was made';
}

const shortly = ({ kind, scope }: Asked): string => {
  if (scope === 'workspace')
    return kind === 'access' ? 'a copy of your workspace' : 'the deletion of your workspace';
  return kind === 'access' ? 'a copy of your data' : 'the deletion of your data';
};

const verification = (params: MailParams['verify-identity'], say: Formats): Block[] => [
  button('Confirm this request', params.link),
  paragraph(`The link works once, until ${say.moment(params.expires)}.`),
  ...section('If this was not you', [
    'You can ignore this message. Without your confirmation we hand over nothing, change nothing and delete nothing.',
  ]),
  paragraph(
    'We send this message to any address a request is made for. It does not tell whether we hold data about you.',
  ),
];

const packageFacts = (params: MailParams['package-ready'], say: Formats): Block[] => [
  button('Go to the download', params.link),
  paragraph(
    `The link works until ${say.moment(params.expires)}; after that the file is removed. Please keep the link to yourself: whoever has it can download the file.`,
  ),
  paragraph(
    'It is a ZIP file. Unpack it and open index.html to read it; the other files are for taking your data elsewhere.',
  ),
  ...(params.contents.length
    ? [
        heading('What is in it'),
        facts(...params.contents.map(({ label, count }) => [label, say.number(count)] as const)),
      ]
    : []),
  ...(params.leftOut?.length ? [heading('What is not in it'), list(params.leftOut)] : []),
];

/** The heading of one reason among several. */
const why = (index: number, of: number): string => (of === 1 ? 'Why' : `Why: reason ${index + 1} of ${of}`);

const reference = (params: { reference: string }) => facts(['Reference', params.reference]);

const certificateFile = (base64: string): Enclosure => ({
  name: 'erasure-certificate.json',
  mediaType: 'application/json',
  content: Buffer.from(base64, 'base64').toString(),
});

const lastChance = (params: MailParams['workspace-deletion-reminder'], say: Formats): Block[] => [
  paragraph(
    `Until ${say.moment(params.goesAt)} any owner or admin can cancel it: sign in where you use the workspace and cancel its deletion there, or ask ${params.contact ?? params.controller}. Then everything in the workspace is deleted: what its people wrote, their files, and copies made earlier. That cannot be undone.`,
  ),
  ...section('Take a copy first', [
    `If you want to keep anything, sign in before that day and ask for a copy of the whole workspace. The deletion waits until it has been downloaded, or its link has ended.`,
  ]),
  reference(params),
];

const whyItGoes: Record<MailParams['workspace-deletion-scheduled']['why'], string> = {
  owner_request: 'An owner of the workspace, or somebody on their behalf, has asked for it.',
  subscription_ended: 'The subscription has ended.',
  orphaned: 'Nobody owns the workspace any more.',
};

/** The words in English. One function a letter; what the law wants said comes in as finished paragraphs. */
export const en: Catalogue = {
  frame: {
    linkHint: 'If the button does not work, open this address:',
    footer: ({ controller, contact, asked }) => [
      `Sent on behalf of ${controller}, because ${occasion(asked)}.`,
      ...(contact ? [`Questions: ${contact}`] : []),
    ],
  },
  letters: {
    'verify-identity': (params, say) => ({
      subject: `Did you ask ${params.controller} for ${shortly(params.asked)}?`,
      preview: 'Please confirm that this was you. If not, there is nothing to do.',
      blocks: [
        paragraph(
          `On ${say.date(params.receivedOn)} ${params.controller} received a request, by you or for you, for ${forWhat(params.asked)}.`,
        ),
        paragraph('Before anything happens we would like to be sure that it was you.'),
        ...verification(params, say),
      ],
    }),

    'verify-reminder': (params, say) => ({
      subject: `Still waiting for your word: ${shortly(params.asked)} from ${params.controller}`,
      preview: 'We have not heard from you yet. If this was not you, there is nothing to do.',
      blocks: [
        paragraph(
          `On ${say.date(params.receivedOn)} ${params.controller} received a request for ${forWhat(params.asked)}. It has not been confirmed yet, so nothing has been done about it.`,
        ),
        ...verification(params, say),
      ],
    }),

    'request-received': (params, say) => ({
      subject: `${params.controller} has your request for ${shortly(params.asked)}`,
      preview: params.dueOn
        ? `You will have an answer by ${say.day(params.dueOn)}.`
        : 'We are working on it.',
      blocks: [
        paragraph(
          `You asked ${params.controller} for ${forWhat(params.asked)}. We have your request, and there is nothing more you need to do now.`,
        ),
        facts(
          ['Received', say.date(params.receivedOn)],
          ['Answer by', params.dueOn && say.day(params.dueOn)],
          ['Under', params.law],
          ['Reference', params.reference],
        ),
        paragraph('We write again as soon as there is news.'),
      ],
    }),

    'request-acknowledged': (params, say) => ({
      subject: `${params.controller} is working on your request for ${shortly(params.asked)}`,
      preview: `You will have an answer by ${say.day(params.dueOn)}.`,
      blocks: [
        paragraph(`${params.controller} confirms your request for ${forWhat(params.asked)}.`),
        facts(
          ['Received', say.date(params.receivedOn)],
          ['Answer by', say.day(params.dueOn)],
          ['Under', params.law],
          ['Reference', params.reference],
        ),
        ...section('How we handle it', params.process),
      ],
    }),

    'package-ready': (params, say) => ({
      subject: `Your data from ${params.controller} is ready`,
      preview: `Download it until ${say.moment(params.expires)}.`,
      blocks: [
        paragraph(`You asked ${params.controller} for ${forWhat(params.asked)}. Here it is.`),
        ...packageFacts(params, say),
        ...section(rightsHeading, params.rights ?? []),
        reference(params),
      ],
    }),

    'package-for-workspace': (params, say) => ({
      subject: `The data of “${params.workspace}” is ready`,
      preview: `Download it until ${say.moment(params.expires)}.`,
      blocks: [
        paragraph(
          `The copy of everything in the workspace “${params.workspace}” is ready. It holds other people’s personal data too, so please treat it with the care that you owe them.`,
        ),
        ...packageFacts(params, say),
        reference(params),
      ],
    }),

    'account-ends': (params, say) => ({
      subject: `Your account at ${params.controller} ends`,
      preview: 'Your last workspace was deleted, and your account goes with it.',
      blocks: [
        paragraph(opening(params)),
        facts(
          ['Done by', params.dueOn && say.day(params.dueOn)],
          ['Under', params.law],
          ['Reference', params.reference],
        ),
        paragraph(
          'There is nothing you need to do. When it is done we write to you a last time, with a certificate that says what was deleted and what the law makes us keep.',
        ),
        ...section(rightsHeading, params.rights),
      ],
    }),

    'request-no-data': (params) => ({
      subject: `${params.controller} holds no data about you`,
      preview: 'We searched, and found nothing under the details you gave us.',
      blocks: [
        paragraph(
          `${opening(params)} We searched, and found no personal data under the details that you gave us.`,
        ),
        paragraph(
          'You may be known to us by another address or name. If so, make a request with that one, and we search again.',
        ),
        ...section(rightsHeading, params.rights),
        reference(params),
      ],
    }),

    'request-refused': (params) => ({
      subject: `${params.controller}: about ${matter(params.asked)}`,
      preview: 'We cannot do what you asked. Here is why, and what you can do.',
      blocks: [
        paragraph(`${opening(params)} We have looked into it, and our answer is no.`),
        ...params.grounds.flatMap((ground, index) => section(why(index, params.grounds.length), ground)),
        ...section(rightsHeading, params.rights),
        reference(params),
      ],
    }),

    'request-refused-part': (params) => ({
      subject: `${params.controller}: about a part of ${matter(params.asked)}`,
      preview: 'We cannot do one part of what you asked. Here is why, and what you can do.',
      blocks: [
        ...(params.parts.length === 1
          ? [
              paragraph(
                `${opening(params)} One part of it we will not do: ${params.parts[0]?.part.join('; ')}. The rest goes on as before.`,
              ),
            ]
          : [
              paragraph(
                `${opening(params)} Some of it we will not do, for more than one reason. The rest goes on as before.`,
              ),
            ]),
        ...params.parts.flatMap(({ part, ground }, index) =>
          section(why(index, params.parts.length), [
            ...(params.parts.length === 1 ? [] : [`What we will not do: ${part.join('; ')}.`]),
            ...ground,
          ]),
        ),
        ...section(rightsHeading, params.rights),
        reference(params),
      ],
    }),

    'request-extended': (params, say) => ({
      subject: `${params.controller} needs more time for ${shortly(params.asked)}`,
      preview: `You will have an answer by ${say.day(params.dueOn)}.`,
      blocks: [
        paragraph(
          `${opening(params)} We cannot finish in the time we had, and are sorry to keep you waiting.`,
        ),
        facts(
          ['Was due', say.day(params.previousDueOn)],
          ['Now due', say.day(params.dueOn)],
          ['Reference', params.reference],
        ),
        ...section('Why', params.reason),
        ...section(rightsHeading, params.rights),
      ],
    }),

    'request-paused': (params) => ({
      subject: `${params.controller} needs something from you before ${shortly(params.asked)}`,
      preview: 'We are not sure yet that it was you who asked.',
      blocks: [
        paragraph(
          `${opening(params)} We have to be sure that we deal with you and nobody else, and are not yet. Until then we may not go on, and the time we have to answer stands still.`,
        ),
        ...section('Why we ask', params.reason),
        ...section('What would help', params.needed),
        ...section(rightsHeading, params.rights),
        reference(params),
      ],
    }),

    'deletion-done': (params, say) => ({
      subject: `${params.controller} has deleted your data`,
      preview: 'With a certificate that anybody can check.',
      blocks: [
        paragraph(
          `${opening(params)} It is done: what we held about you in ${say.number(params.deleted)} kinds of records is deleted, or no longer says who it was about. Then we searched for your identifiers and found none left.`,
        ),
        paragraph(`Backups may still hold it until ${say.day(params.backupsGoneBy)}.`),
        ...(params.kept.length
          ? [
              heading('What we keep, and why'),
              facts(...params.kept.map(({ label, why }) => [label, why] as const)),
            ]
          : []),
        ...(params.recipients?.length
          ? section('Who else we tell', [
              'They had been given data about you by us, and are told that it is deleted:',
              ...params.recipients,
            ])
          : []),
        heading('Your certificate'),
        leadingTo(
          'The file that comes with this message is signed, and holds no personal data. The key to check it with is at',
          params.keys,
        ),
        ...(params.link === undefined
          ? []
          : [leadingTo('For thirty days you find it, and how this went, at', params.link)]),
        ...section(rightsHeading, params.rights),
        paragraph('We have now forgotten this address, and cannot answer to it any more.'),
        reference(params),
      ],
      enclosures: [certificateFile(params.certificate)],
    }),

    'request-withdrawn': (params) => ({
      subject: `Your request to ${params.controller} is withdrawn`,
      preview: 'We have stopped working on it. You can ask again at any time.',
      blocks: [
        paragraph(
          `Your request for ${forWhat(params.asked)} is withdrawn, and ${params.controller} has stopped working on it. You can ask again at any time.`,
        ),
        paragraph('If you did not withdraw it, please tell us.'),
        reference(params),
      ],
    }),

    'identity-refused': (params) => ({
      subject: `${params.controller}: we could not confirm who made a request`,
      preview: 'Nothing was handed over, changed or deleted.',
      blocks: [
        paragraph(
          `${params.controller} was asked for ${forWhat(params.asked)}. Nobody has shown us that this request came from you, so we have closed it. Nothing was handed over, changed or deleted.`,
        ),
        ...section('Why', params.ground),
        paragraph('If it was you after all, please make the request again and confirm it.'),
        ...section(rightsHeading, params.rights),
        reference(params),
      ],
    }),

    'part-approval-needed': (params, say) => ({
      subject: `A request waits for your decision in “${params.workspace}”`,
      preview: params.decideBy ? `Please decide by ${say.day(params.decideBy)}.` : 'Please decide soon.',
      blocks: [
        paragraph(
          params.asked.kind === 'access'
            ? `Somebody asked for a copy of their personal data, and some of it is in the workspace “${params.workspace}”. You have chosen to decide about such requests yourselves.`
            : `Somebody asked for the deletion of their personal data, and some of it is in the workspace “${params.workspace}”. You have chosen to decide about such requests yourselves.`,
        ),
        paragraph(
          `To decide, sign in where you use the workspace and open its requests about personal data: this one has the reference below. If you do not find it there, ask ${params.contact ?? params.controller}.`,
        ),
        facts(['Decide by', params.decideBy && say.day(params.decideBy)], ['Reference', params.reference]),
        ...paragraphs([
          params.asked.kind === 'access'
            ? 'If nobody decides, your part is left out and the person is told so. The law gives them a right to an answer in time.'
            : 'If nobody decides, your part is kept and the person is told so. The law gives them a right to an answer in time.',
        ]),
      ],
    }),

    'workspace-deletion-scheduled': (params, say) => ({
      subject: `The workspace “${params.workspace}” will be deleted`,
      preview: `Everything in it goes on ${say.moment(params.goesAt)}. Until then it can be cancelled.`,
      blocks: [
        paragraph(`The workspace “${params.workspace}” is to be deleted. ${whyItGoes[params.why]}`),
        ...lastChance({ ...params, days: 7 }, say),
      ],
    }),

    'workspace-deletion-reminder': (params, say) => ({
      subject:
        params.days === 1
          ? `Tomorrow the workspace “${params.workspace}” is deleted`
          : `In ${say.number(params.days)} days the workspace “${params.workspace}” is deleted`,
      preview: `Everything in it goes on ${say.moment(params.goesAt)}. Until then it can be cancelled.`,
      blocks: [
        paragraph(
          `As we wrote to its owners, the workspace “${params.workspace}” is to be deleted. This is a reminder.`,
        ),
        ...lastChance(params, say),
      ],
    }),

    'workspace-deleted': (params, say) => ({
      subject: `The workspace “${params.workspace}” is deleted`,
      preview: 'With a certificate that anybody can check.',
      blocks: [
        paragraph(
          `The workspace “${params.workspace}” and everything in it is deleted: ${say.number(params.deleted)} kinds of records, their files, and copies made earlier. We looked again afterwards and found nothing left.`,
        ),
        paragraph(`Backups may still hold it until ${say.day(params.backupsGoneBy)}.`),
        ...(params.kept.length
          ? [
              heading('What is kept, and why'),
              facts(...params.kept.map(({ label, why }) => [label, why] as const)),
            ]
          : []),
        ...(params.recipients?.length
          ? section('Who else we tell', [
              'They had been given data of the workspace by us, and are told that it is deleted:',
              ...params.recipients,
            ])
          : []),
        heading('The certificate'),
        leadingTo(
          'It is enclosed as a file, signed, and holds no personal data. With it goes the last state of the workspace’s log. The key to check both with is at',
          params.keys,
        ),
        paragraph(
          'This is the last mail about it: nothing that is kept of the workspace holds your address any more.',
        ),
        reference(params),
      ],
      enclosures: [certificateFile(params.certificate)],
    }),

    'workspace-deletion-cancelled': (params) => ({
      subject: `The workspace “${params.workspace}” stays`,
      preview: 'Its deletion was cancelled, and nothing was deleted.',
      blocks: [
        paragraph(
          `The deletion of the workspace “${params.workspace}” was cancelled. Nothing was deleted, and everything goes on as before.`,
        ),
        reference(params),
      ],
    }),
  },
};
