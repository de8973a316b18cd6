/**
 * Minor versions below which row-level security leaks: CVE-2025-8713, planner statistics show sampled values
 * that a policy hides. Postgres 18 was never affected.
 */
const fixedIn: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 };

/** What is wrong with this server's version (`17.5`, `16.2 (Debian …)`), or undefined. */
export function versionWarning(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(/[^\d]/, 2).map(Number);
  if (major < 15) return `Postgres ${major} is older than what Habeas is tested with (15 to 18).`;
  const fixed = fixedIn[major];
  if (fixed !== undefined && minor < fixed) {
    return `Postgres ${major}.${minor} has a known hole in row-level security (CVE-2025-8713): upgrade to ${major}.${fixed} or later.`;
  }
  return undefined;
}
