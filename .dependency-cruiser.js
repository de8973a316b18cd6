// app → dsar → {export, deletion} → {identity, residency} → datamap → audit → {mail, webhooks}
//     → keys → {database, storage, jobs, http} → {config, errors}: downward only.
const layers = [
  ['app'],
  ['dsar'],
  ['export', 'deletion'],
  ['identity', 'residency'],
  ['datamap'],
  ['audit'],
  ['mail', 'webhooks'],
  ['keys'],
  ['database', 'storage', 'jobs', 'http'],
];

const folders = (names) => `^src/(${names.join('|')})/`;

const downwardOnly = layers.flatMap((layer, depth) => {
  const above = layers.slice(0, depth).flat();
  const rules = above.length
    ? [
        {
          name: `${layer.join('-')}-never-calls-up`,
          severity: 'error',
          from: { path: folders(layer) },
          to: { path: folders(above) },
        },
      ]
    : [];
  return rules.concat(
    // Siblings do not know each other, except at the bottom: jobs are enqueued in a caller's transaction, and http
    // hands tenancies over and remembers the answers of writes.
    layer
      .filter((name) => layer.length > 1 && !['jobs', 'http'].includes(name))
      .map((name) => ({
        name: `${name}-does-not-know-its-siblings`,
        severity: 'error',
        from: { path: folders([name]) },
        to: { path: folders(layer.filter((other) => other !== name)) },
      })),
  );
});

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-barrels',
      severity: 'error',
      from: {},
      to: { path: '/index\\.ts$', pathNot: 'node_modules' },
    },
    {
      name: 'only-app-imports-app',
      severity: 'error',
      from: { path: '^src/.+/', pathNot: '^src/app/' },
      to: { path: '^src/[^/]+\\.ts$', pathNot: '^src/(config|errors|clock)\\.ts$' },
    },
    {
      name: 'source-never-imports-tests-or-demo',
      severity: 'error',
      from: { path: '^src/.+/', pathNot: '^src/app/' },
      to: { path: '^(test|bench|demo)/' },
    },
    ...downwardOnly,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
