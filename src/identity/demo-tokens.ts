import { SignJWT } from 'jose';
import { keyOf } from '../keys/key-files.js';
import { type TokenSource } from './jwt.js';

const ISSUER = 'habeas-demo';

/** Whom the demo lets sign in; filled from demo/people.ts by the app, because src knows no demo. */
export interface DemoPerson {
  userId: string;
  workspaceId: string;
  mail: string;
  displayName: string;
  staff?: string[];
}
export type DemoPeople = Readonly<Record<string, DemoPerson>>;
export const DEMO_PEOPLE = Symbol('demo people');

/** Tokens of the demo's own sign-in: signed with a key of this installation, accepted by no other. */
export const demoTokens = {
  staffClaim: 'staff',

  source: (home: string): TokenSource => ({
    issuer: ISSUER,
    audience: ISSUER,
    secret: keyOf(home, 'demo-sign-in'),
  }),

  /** Signs a person in, freshly; the token is good for half a day. */
  issue: (home: string, person: DemoPerson, now: Date): Promise<string> => {
    const seconds = Math.floor(now.getTime() / 1000);
    const claims = {
      name: person.displayName,
      email: person.mail,
      email_verified: true,
      auth_time: seconds,
      ...(person.staff && { [demoTokens.staffClaim]: person.staff }),
    };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(person.userId)
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 12 * 60 * 60)
      .sign(keyOf(home, 'demo-sign-in'));
  },
};
