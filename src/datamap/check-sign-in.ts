/** Whether anybody who signs in can be known: the map's own matter, whatever the database is like. */
import { type Finding } from './findings.js';
import { type DataMap } from './map.js';

/** A warning and no error: requests through the desk, API tokens and staff by their claim go on without. */
export function checkSignIn({ subjects }: Pick<DataMap, 'subjects'>): Finding[] {
  if (Object.values(subjects).some(({ signIn }) => signIn)) return [];
  return [
    {
      code: 'sign_in.missing',
      where: 'subjects',
      message:
        'No kind of person has `signIn`, so nobody who signs in is known: their requests are answered 422 ' +
        '`person.unknown`, and they are nothing in any workspace. Say at the kind that signs in which claim of the ' +
        'token is which column: signIn: { claim: sub, column: id }.',
    },
  ];
}
