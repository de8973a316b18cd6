import { type Law } from '../law.js';
import { type Ground, uncheckedOnAccess, uncheckedOnBoth, uncheckedOnDeletion } from './ground.js';

/** For laws whose own list is not written yet: reasons that they all know in some form, none checked against them. */
export const genericGrounds = ({ name }: Pick<Law, 'name'>): readonly Ground[] => [
  ...uncheckedOnBoth([
    [
      'identity_not_proven',
      name,
      'Identity not proven',
      'We could not confirm who made this request. We may not hand over or erase personal data for somebody we cannot identify.',
    ],
    [
      'no_data',
      name,
      'No data that can be tied to the person',
      'With the details you gave us we find no personal data about you. If you can give us more, we will search again.',
    ],
    [
      'manifestly_unfounded',
      name,
      'Clearly unfounded, excessive or repetitive',
      'This request is clearly unfounded, excessive or repeats earlier ones without anything having changed.',
    ],
    [
      'duplicate',
      name,
      'The same request is open already',
      'You have the same request open with us already. We answer that one, in its own time, and close this one.',
    ],
    [
      'rights_of_others',
      name,
      'Rights of others',
      'Doing what you ask would harm the rights or the privacy of other people. We leave out only what does.',
    ],
    [
      'legal_restriction',
      name,
      'Restricted by law',
      'A law, a court or an authority does not allow us to do what you ask.',
    ],
  ]),
  ...uncheckedOnAccess([
    ['trade_secrets', name, 'Trade secrets', 'This would reveal trade secrets. We leave out only what does.'],
    ['legal_privilege', name, 'Legal privilege', 'This is covered by legal privilege.'],
  ]),
  ...uncheckedOnDeletion([
    [
      'legal_obligation',
      name,
      'Legal obligation to keep',
      'A law obliges us to keep this data, tax and accounting law for instance. We keep it no longer than that.',
    ],
    [
      'legal_claims',
      name,
      'Legal claims',
      'This data is necessary to establish, exercise or defend legal claims.',
    ],
    [
      'still_needed',
      name,
      'Still needed lawfully',
      'The data is still needed for the lawful purpose it was collected for, and the law does not ask for its erasure yet.',
    ],
  ]),
];
