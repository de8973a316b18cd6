import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { unlessMisfit } from '../datamap/misfit.js';
import { DomainError } from '../errors.js';
import { checkStaffClaim, claimAt, readClaims } from './claims.js';
import { demoTokens } from './demo-tokens.js';
import { HostPeople } from './host-people.js';
import { invalidToken, JwtVerifier, type TokenSource } from './jwt.js';
import { type Person, unknownKind } from './principal.js';

/** From a JWT to the person of the data map who signed in with it. */
@Injectable()
export class SignIn {
  private readonly verifier: JwtVerifier;
  private readonly staffClaim?: string;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'auth' | 'demoSignIn' | 'home'>,
    clock: Clock,
    private readonly database: Database,
    private readonly people: HostPeople,
  ) {
    checkStaffClaim(config.auth.staffClaim);
    this.staffClaim = config.demoSignIn ? demoTokens.staffClaim : config.auth.staffClaim;
    this.verifier = new JwtVerifier(
      config.demoSignIn ? demoTokens.source(config.home) : sourceOf(config),
      clock,
    );
  }

  /** @throws DomainError as JwtVerifier.verify does */
  async person(token: string): Promise<Person> {
    const payload = await this.verifier.verify(token);
    const { signIn } = this.people;
    const value = claimText(claimAt(payload, signIn?.claim ?? 'sub'));
    if (value === undefined) throw invalidToken();
    const claims = readClaims(payload, this.staffClaim);
    const roles = ['person', ...claims.staff] as const;
    return { type: 'person', ...(await this.subject(value)), ...claims, roles };
  }

  /** Somebody whose row is gone keeps their key where the claim is the key: their requests outlive the account. */
  private async subject(value: string): Promise<Pick<Person, 'subject' | 'known' | 'erased'>> {
    const { signIn } = this.people;
    if (!signIn) return { subject: { kind: unknownKind, key: value }, known: false };
    const found = await this.database
      .asHost((host) => this.people.bySignIn(host, signIn.claim, value))
      .catch(unlessMisfit('unreadable' as const));
    // Their own matters go on by the key that the token itself proves; what needs the host's tables says so.
    if (found === 'unreadable' && signIn.claimIsKey)
      return { subject: { kind: signIn.kind, key: value }, known: true };
    if (found === 'unreadable') throw unreadable();
    if (found) return { subject: found.subject, known: !found.erased, erased: found.erased };
    return { subject: { kind: signIn.claimIsKey ? signIn.kind : unknownKind, key: value }, known: false };
  }
}

const unreadable = () =>
  new DomainError(
    'datamap.drift',
    'Nobody can be recognised while the data map does not fit the database. Try again later.',
  );

// Postgres takes neither NUL nor half a surrogate pair in a text.
const claimText = (value: unknown): string | undefined =>
  (typeof value === 'string' && /^[^\0]{1,400}$/.test(value) && value.isWellFormed()) ||
  Number.isSafeInteger(value)
    ? String(value)
    : undefined;

function sourceOf({ auth }: Pick<Config, 'auth'>): TokenSource {
  const { issuer, audience, jwksUrl, secret } = auth;
  // config.ts lets nobody start without these.
  if (!issuer || !audience) throw new Error('AUTH_ISSUER and AUTH_AUDIENCE are needed');
  if (jwksUrl) return { issuer, audience, jwksUrl: new URL(jwksUrl) };
  if (secret) return { issuer, audience, secret: new TextEncoder().encode(secret) };
  throw new Error('AUTH_JWKS_URL or AUTH_JWT_SECRET is needed');
}
