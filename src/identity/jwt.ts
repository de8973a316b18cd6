import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose';
import { type Clock } from '../clock.js';
import { DomainError } from '../errors.js';

/** Where tokens come from: an identity provider's key set, or a secret shared with it. */
export type TokenSource = { issuer: string; audience: string } & ({ jwksUrl: URL } | { secret: Uint8Array });

/**
 * The algorithms are ours to choose, never the token's: a key set is good for signatures that only its owner can
 * make, a secret for one HMAC. So `none` is nothing we know, and a public key cannot be taken for a secret.
 */
const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Seconds that two clocks may differ. */
const CLOCK_TOLERANCE = 5;

interface KeySetOptions {
  /** Milliseconds between two looks for a key id that the set did not have. */
  cooldown?: number;
  /** Milliseconds that the provider may take. */
  timeout?: number;
}

/** Says whether a JWT is genuine, meant for us, and valid now. */
export class JwtVerifier {
  private readonly key: JWTVerifyGetKey;
  private readonly rules: JWTVerifyOptions;

  constructor(
    source: TokenSource,
    private readonly clock: Clock,
    options: KeySetOptions = {},
  ) {
    this.key = 'secret' in source ? () => source.secret : keySet(source.jwksUrl, options);
    this.rules = {
      issuer: source.issuer,
      audience: source.audience,
      algorithms: 'secret' in source ? ['HS256'] : asymmetric,
      clockTolerance: CLOCK_TOLERANCE,
      requiredClaims: ['exp'],
    };
  }

  /**
   * @throws DomainError `auth.token_expired` for a token that was good once, `auth.unavailable` when the provider's
   * keys cannot be had, `auth.token_invalid` for everything else: which check failed helps only whoever forges.
   */
  async verify(token: string): Promise<JWTPayload> {
    const rules = { ...this.rules, currentDate: this.clock.now() };
    try {
      return (await jwtVerify(token, this.key, rules)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return this.tryEach(error, token, rules);
      throw refusal(error);
    }
  }

  /** A token without a key id may fit several keys of the set. */
  private async tryEach(
    keys: errors.JWKSMultipleMatchingKeys,
    token: string,
    rules: JWTVerifyOptions,
  ): Promise<JWTPayload> {
    for await (const key of keys) {
      try {
        return (await jwtVerify(token, key, rules)).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refusal(error);
      }
    }
    throw invalidToken();
  }
}

/** Tells a key that the set does not have (the token's fault) from a set that cannot be had (nobody's here). */
function keySet(url: URL, { cooldown, timeout }: KeySetOptions): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(url, { cooldownDuration: cooldown, timeoutDuration: timeout });
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      const ofToken =
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported;
      if (ofToken) throw error;
      throw new DomainError(
        'auth.unavailable',
        'Sign-in cannot be checked right now. Try again in a minute.',
        {
          cause: error,
        },
      );
    }
  };
}

function refusal(error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  // jose looks at the signature first, so whoever hears this held a genuine token.
  return error instanceof errors.JWTExpired ? expiredToken() : invalidToken();
}

export const invalidToken = () =>
  new DomainError('auth.token_invalid', 'The access token is not valid here. Sign in again.');
export const expiredToken = () =>
  new DomainError('auth.token_expired', 'The access token has expired. Sign in again.');
