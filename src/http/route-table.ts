/** Which methods each address takes, collected while routes are registered. */
export class RouteTable {
  private readonly routes = new Map<string, { matches: RegExp; methods: Set<string> }>();

  add(pattern: string, methods: string | readonly string[]): void {
    // A catch-all answers for addresses that do not exist; it says nothing about methods.
    if (/^\/?\*$/.test(pattern)) return;
    const route = this.routes.get(pattern) ?? { matches: expressionFor(pattern), methods: new Set() };
    for (const method of [methods].flat()) route.methods.add(method);
    this.routes.set(pattern, route);
  }

  /** The methods of a requested address, sorted; none when there is no such address. */
  methodsFor(url: string): string[] {
    const path = url.split(/[?#]/, 1)[0] ?? '/';
    const found = [...this.routes.values()].filter(({ matches }) => matches.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  }
}

const expressionFor = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split('/')
      .map((part) =>
        part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
      )
      .join('/')}$`,
  );
