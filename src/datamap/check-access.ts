/** May habeas_host read and erase what the map names, and does it see every row (invariant 9)? */
import { type Catalogue, type CatalogueTable, tableIn } from './catalogue.js';
import { type Finding, finding } from './findings.js';
import { neededGrants } from './grants.js';
import { type DataMap } from './map.js';
import { shown } from './names.js';

const HOW = 'Run the SQL that `habeas datamap grants` prints.';

/** Missing role, missing grants, and tables where row-level security would hide rows. */
export function checkAccess(map: DataMap, catalogue: Catalogue): Finding[] {
  const { host } = catalogue;
  if (!host.exists)
    return [
      { code: 'access.role_missing', where: 'habeas_host', message: `There is no role habeas_host. ${HOW}` },
    ];
  const needed = neededGrants(map, catalogue);
  const schemas = [...new Set(needed.map(({ table }) => table.schema))].filter(
    (schema) => !host.usage.includes(schema),
  );
  return [
    ...(host.reachable
      ? []
      : [
          {
            code: 'access.role_unreachable',
            where: 'habeas_host',
            message: 'The service’s login may not take on habeas_host: grant habeas_host to it.',
          },
        ]),
    ...schemas.map((schema) => ({
      code: 'access.not_granted',
      where: schema,
      message: `habeas_host may not look into this schema. ${HOW}`,
    })),
    ...needed.flatMap(({ table, update, delete: deletes }) => {
      const { granted } = table;
      const lacking = [
        ...(granted.select ? [] : ['select']),
        ...(deletes && !granted.delete ? ['delete'] : []),
        ...update
          .filter((name) => granted.update !== 'all' && !granted.update.includes(name))
          .map((name) => `update of ${name}`),
      ];
      const missing =
        lacking.length > 0
          ? [
              finding(
                'access.not_granted',
                table,
                undefined,
                `habeas_host lacks ${lacking.join(', ')}. ${HOW}`,
              ),
            ]
          : [];
      const hidden = host.bypassesRowSecurity ? [] : behindPolicies(catalogue, table);
      return [
        ...missing,
        ...hidden.map((t) =>
          finding(
            'access.row_security',
            table,
            undefined,
            `Row-level security of ${shown(t)} would hide rows. Give habeas_host BYPASSRLS. ${HOW}`,
          ),
        ),
      ];
    }),
  ];
}

/** The table itself, or what a view reads with its user's rights, where policies apply. */
function behindPolicies(catalogue: Catalogue, table: CatalogueTable): CatalogueTable[] {
  const read = table.securityInvoker ? table.reads.flatMap((ref) => tableIn(catalogue, ref) ?? []) : [];
  return [table, ...read].filter((t) => t.rowSecurity);
}
