import { resources, roleMatrix } from './role-matrix.js';
import { type Grant, grants, type Role, roles, type Verb, verbs } from './roles.js';

/** docs/roles.md, printed from the matrix; a test holds the file against it. */
export function rolePage(): string {
  const people = roles.filter((role) => !role.includes(':'));
  const tokens = roles.filter((role) => role.includes(':'));
  return [
    '# Who may do what',
    '',
    'Printed from `src/identity/role-matrix.ts`: `HABEAS_PRINT_ROLES=1 npm run test:unit -- role-matrix` prints it again.',
    'An empty cell is a no. One caller may hold several roles and may do what any of them may; `person` is everybody',
    'who signed in, `headquarters` the privacy lead in the host’s own tenant. A caller without any relation to a',
    'workspace gets the same 404 as for a workspace that does not exist.',
    '',
    ...legend(),
    '',
    '## People',
    '',
    ...table(people),
    '',
    '## API tokens, by permission',
    '',
    ...table(tokens),
    '',
  ].join('\n');
}

const legend = () => Object.entries(grants).map(([grant, meaning]) => `- **${grant}**: ${meaning}`);

function table(columns: readonly Role[]): string[] {
  const rows = resources.flatMap((resource) => {
    const answers: Partial<Record<Verb, Partial<Record<Role, Grant>>>> = roleMatrix[resource];
    return verbs
      .filter((verb) => columns.some((role) => answers[verb]?.[role]))
      .map((verb) => [resource, verb, ...columns.map((role) => answers[verb]?.[role] ?? '')]);
  });
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const head = ['resource', 'verb', ...columns];
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
