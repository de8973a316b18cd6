import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { DomainError } from '../../src/errors.js';

const problemsOf = (environment: Record<string, string>): Record<string, string> => {
  try {
    readConfig(environment);
    return {};
  } catch (error) {
    expect(error).toBeInstanceOf(DomainError);
    return Object.fromEntries(
      ((error as DomainError).details.errors ?? []).map(({ path, message }) => [path, message]),
    );
  }
};

const key = Buffer.alloc(32, 1).toString('base64');
const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://habeas@db.example/app?sslmode=verify-full',
  MIGRATION_DATABASE_URL: 'postgresql://owner@db.example/app?sslmode=verify-full',
  DATAMAP: 'demo/datamap.yaml',
  PUBLIC_URL: 'https://privacy.example',
  SUPABASE_URL: 'https://project.example',
  SUPABASE_SERVICE_KEY: 'service',
  SMTP_URL: 'smtps://mail.example',
  MAIL_FROM: 'Privacy <privacy@example.org>',
  AUTH_JWKS_URL: 'https://id.example/jwks',
  AUTH_ISSUER: 'https://id.example',
  AUTH_AUDIENCE: 'habeas',
  MASTER_KEY: key,
  SIGNING_KEY: key,
};

describe('the configuration', () => {
  test('needs nothing for trying out', () => {
    const config = readConfig({});
    expect(config.publicUrl).toBe('http://127.0.0.1:3000');
    expect(config.linkTtl.as('days')).toBe(7);
    expect(config).toMatchObject({ demoSignIn: true, demoHost: true, production: false });
  });

  test('names every problem at once, and what to set, never the value', () => {
    const wrong = {
      PORT: 'eighty',
      LINK_TTL: 'a week',
      MASTER_KEY: 'c2VjcmV0',
      SMTP_URL: 'http://sentinel.example',
      JURISDICTIONS: 'gdpr,lex-nova',
    };
    const problems = problemsOf(wrong);
    expect(
      Object.keys(problems)
        .map((path) => path.split('.')[0])
        .sort(),
    ).toEqual(['JURISDICTIONS', 'LINK_TTL', 'MASTER_KEY', 'PORT', 'SMTP_URL']);
    for (const value of Object.values(wrong)) expect(JSON.stringify(problems)).not.toContain(value);
  });

  test('accepts a complete production', () => {
    expect(problemsOf(production)).toEqual({});
    expect(readConfig(production)).toMatchObject({ demoSignIn: false, demoHost: false, production: true });
  });

  test.each(
    Object.keys(production).filter((name) => !['NODE_ENV', 'AUTH_ISSUER', 'AUTH_AUDIENCE'].includes(name)),
  )('accepts nothing demo or generated in production: %s is needed', (name) => {
    const { [name as keyof typeof production]: _, ...rest } = production;
    expect(Object.keys(problemsOf(rest))).toContain(name);
  });

  test.each([
    ['PUBLIC_URL', 'http://privacy.example'],
    ['DATABASE_URL', 'postgresql://habeas@db.example/app'],
    ['DATABASE_URL', 'postgresql://habeas@db.example/app?sslmode=prefer'],
    ['MIGRATION_DATABASE_URL', 'postgresql://owner@db.example/app?sslmode=disable'],
    ['SMTP_URL', 'smtp://mail.example'],
    ['SUPABASE_URL', 'http://project.example'],
  ])('refuses an unencrypted %s in production', (name, value) => {
    expect(Object.keys(problemsOf({ ...production, [name]: value }))).toEqual([name]);
  });

  test('refuses half of a pair, two identity providers at once, and what is not built', () => {
    expect(Object.keys(problemsOf({ SUPABASE_URL: 'http://127.0.0.1:5000' }))).toEqual([
      'SUPABASE_SERVICE_KEY',
    ]);
    expect(Object.keys(problemsOf({ AUTH_JWKS_URL: 'https://id.example/jwks' }))).toEqual([
      'AUTH_ISSUER',
      'AUTH_AUDIENCE',
    ]);
    const both = { ...production, AUTH_JWT_SECRET: 'x'.repeat(32) };
    expect(Object.keys(problemsOf(both))).toEqual(['AUTH_JWT_SECRET']);
    expect(Object.keys(problemsOf({ PLANES: 'demo/datamap.yaml' }))).toEqual(['PLANES']);
  });
});
