import { describe, expect, test } from '@jest/globals';
import { resolveJurisdiction } from '../../src/dsar/law/jurisdiction.js';
import { lawIds } from '../../src/dsar/law/laws.js';
import { defaultRegion, regionList, regionOf } from '../../src/residency/regions.js';

describe('the regions', () => {
  test('are four, and the United States is the default', () => {
    expect(regionList.map(({ id, name, place }) => `${id}: ${name} (${place})`)).toEqual([
      'us: United States (Virginia)',
      'eu: European Union (Frankfurt)',
      'me-south: Middle East (Bahrain)',
      'ap-northeast: Asia Pacific (Tokyo)',
    ]);
    expect(regionList.filter((region) => region.default)).toEqual([defaultRegion]);
  });

  test.each([
    ['us', 'ccpa'],
    ['eu', 'gdpr'],
    ['me-south', 'bh-pdpl'],
    ['ap-northeast', 'jp-appi'],
  ])('%s leads the legal clock to %s once somebody chose it', (id, law) => {
    const { defaultJurisdiction } = regionOf(id) ?? defaultRegion;
    const known = { region: { defaultJurisdiction, chosen: true }, enabled: lawIds };
    const found = resolveJurisdiction(known, 'access', new Date('2026-11-20'));
    expect(found).toMatchObject({ law, decidedBy: 'region' });
  });

  test('each have a legal context with a source, certification notes and a place for models', () => {
    for (const { legalContext, certificationNotes, modelProvider } of regionList) {
      expect(legalContext.length).toBeGreaterThan(0);
      for (const { source, note } of legalContext) expect(`${source}${note}`).toMatch(/\S{3}/);
      expect(certificationNotes.length).toBeGreaterThan(0);
      expect(modelProvider.region).toMatch(/^[a-z]+-[a-z]+-\d$/);
    }
  });

  test('say so where models would leave the country', () => {
    expect(regionOf('me-south')?.modelProvider).toMatchObject({
      inRegion: false,
      note: expect.stringContaining('leave') as unknown,
    });
  });

  test('are no other words', () => {
    for (const word of ['', 'US', '__proto__', 'constructor']) expect(regionOf(word)).toBeUndefined();
  });
});
