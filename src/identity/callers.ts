import { Injectable } from '@nestjs/common';
import { DomainError } from '../errors.js';
import { ApiTokens, TOKEN_PREFIX } from './api-tokens.js';
import { invalidToken } from './jwt.js';
import { type ApiToken, type Person } from './principal.js';
import { SignIn } from './sign-in.js';

/** Longer than any identity provider's token with its claims. */
const LONGEST = 8192;

/** From an Authorization header to who is calling. */
@Injectable()
export class Callers {
  constructor(
    private readonly signIn: SignIn,
    private readonly apiTokens: ApiTokens,
  ) {}

  /** @throws DomainError `auth.required` without credentials; else as SignIn.person and ApiTokens.authenticate do */
  async by(authorization: string | undefined): Promise<Person | ApiToken> {
    if (!authorization) throw new DomainError('auth.required', 'Sign in first, or send a token.');
    const token = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(authorization)?.[1];
    if (token === undefined || token.length > LONGEST) throw invalidToken();
    return token.startsWith(TOKEN_PREFIX) ? this.apiTokens.authenticate(token) : this.signIn.person(token);
  }
}
