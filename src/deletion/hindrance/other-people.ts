/** Whom a row is about besides those who are being erased. */
import { type Catalogue, columnIn } from '../../datamap/catalogue.js';
import { type Collection, type DataMap, normaliserOf, type Path } from '../../datamap/map.js';
import { qualified, quoted } from '../../datamap/names.js';
import { normaliseSql } from '../../datamap/normalise.js';
import { pathValues } from '../../datamap/paths.js';
import { keysOfKindsSql, ownIdentifiersSql } from '../../datamap/settings.js';
import { valueAs } from '../../datamap/types.js';

/** A mail or key of somebody who has been erased before is nobody's. */
const PSEUDONYM_MAIL =
  '^deleted-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}@deleted[.]invalid$';

/** SQL about the row `t`; reads the settings of the selection that is being erased. */
export class OtherPeople {
  constructor(
    private readonly map: DataMap,
    private readonly catalogue: Catalogue,
  ) {}

  /** Conditions, one for each way that leads from a row of the collection to somebody else. */
  ways(collection: Collection): string[] {
    const { subject, where } = collection;
    return Object.entries(subject).flatMap(([kind, paths]) =>
      paths.map((path) => {
        const normaliser = normaliserOf(this.map, kind, path.as);
        const own =
          path.as === undefined && this.map.subjects[kind]?.table
            ? this.ownKeys(kind)
            : this.ownIdentifiers();
        // As the database compares them: keys that differ in case only are the same.
        const folds = normaliser === 'exact' && this.isCaseless(collection, kind, path);
        const plain = normaliseSql(normaliser, 'o.v', this.catalogue.fold);
        const [value, theirs] = folds ? [`lower(${plain})`, 'lower(own.v)'] : [plain, 'own.v'];
        const other =
          `exists (select from (${pathValues(path)}) as o where o.v is not null and o.v <> '' ` +
          `and ${value} <> all (array(select ${theirs} from (${own}) as own where own.v is not null)) and o.v !~ '${PSEUDONYM_MAIL}'${this.notErased(kind, path)})`;
        return where === undefined ? other : `(${other} and (${where}))`;
      }),
    );
  }

  private isCaseless({ table }: Collection, kind: string, path: Path): boolean {
    const { table: own, key, identifiers } = this.map.subjects[kind] ?? {};
    const ends = path.join.at(-1)?.table ?? table;
    const named = path.as === undefined ? key?.[0] : identifiers?.[path.as]?.column;
    const types = [
      ...path.columns.map((column) => columnIn(this.catalogue, ends, column)),
      own && named !== undefined ? columnIn(this.catalogue, own, named) : undefined,
    ];
    return types.some((type) => /[.]citext$/.test(type?.element ?? type?.base ?? ''));
  }

  /** Keys that mean one person: of the kinds in the same table, since 7 may be somebody else in another. */
  private ownKeys(kind: string): string {
    const { table } = this.map.subjects[kind] ?? {};
    const kinds = Object.values(this.map.subjects).filter(
      (other) => table && other.table && qualified(other.table) === qualified(table),
    );
    return keysOfKindsSql(kinds.map(({ name }) => name));
  }

  /** What says who somebody is wherever it stands: identifiers, and the keys of those who have no table. */
  private ownIdentifiers(): string {
    const kinds = Object.values(this.map.subjects).filter(({ table }) => !table);
    return `${keysOfKindsSql(kinds.map(({ name }) => name))} union all ${ownIdentifiersSql()}`;
  }

  /** Somebody whose own row has been pseudonymised is not left on anything. */
  private notErased(kind: string, path: Path): string {
    const { table, key } = this.map.subjects[kind] ?? {};
    if (!table || key?.length !== 1 || path.as !== undefined) return '';
    const own = Object.values(this.map.collections).filter(
      (c) => !c.builtIn && qualified(c.table) === qualified(table),
    );
    const mails = own.flatMap(({ erasure }) =>
      erasure.rule === 'pseudonymise'
        ? Object.entries(erasure.set).flatMap(([column, value]) =>
            value === 'pseudonym-mail' ? [column] : [],
          )
        : [],
    );
    const column = key[0] as string;
    const [mail] = mails;
    const wanted = valueAs(columnIn(this.catalogue, table, column)?.base, 'o.v');
    if (mail === undefined || wanted === undefined) return '';
    return (
      ` and not exists (select from ${qualified(table)} as t where t.${quoted(column)} = (${wanted}) ` +
      `and t.${quoted(mail)}::text ~ '${PSEUDONYM_MAIL}')`
    );
  }
}
