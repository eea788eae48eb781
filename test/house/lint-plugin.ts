/** Lint rules of this house, for oxlint. They apply to the files of `services/` but tests. */
import { definePlugin, defineRule, type Context, type ESTree } from "@oxlint/plugins";
import { isPure, refusal } from "./layers.ts";

/** A linted file's path from `services/`. */
const fileOf = ({ filename }: Context): string => filename.replace(/^.*\/services\//, "");

/** The text of a string or of a template without values. */
const textOf = (node: ESTree.Node): string | undefined => {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  return node.type === "TemplateLiteral" && node.expressions.length === 0
    ? (node.quasis[0]?.value.cooked ?? undefined)
    : undefined;
};

const imports = defineRule({
  create: (context) => {
    const check = (node: ESTree.Node, source: string | undefined, isType: boolean): void => {
      const message =
        source === undefined
          ? "Lint can't see what this imports: name it in the import."
          : refusal({ file: fileOf(context), source, isType });
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source.value, node.importKind === "type"),
      ExportAllDeclaration: (node) => check(node, node.source.value, node.exportKind === "type"),
      ExportNamedDeclaration: (node) => {
        if (node.source !== null) check(node, node.source.value, node.exportKind === "type");
      },
      ImportExpression: (node) => check(node, textOf(node.source), false),
      TSImportType: (node) => check(node, textOf(node.source), true),
      TSImportEqualsDeclaration: (node) => check(node, undefined, false),
    };
  },
});

/** Objects of which pure code uses all members but one, which may be reached by its name alone. */
const partlyPure: Readonly<Record<string, string>> = {
  Math: "random",
  Temporal: "Now",
};

const purity = defineRule({
  create: (context) => {
    if (!isPure(fileOf(context))) return {};
    return {
      Identifier: (node) => {
        const impure = Object.hasOwn(partlyPure, node.name) ? partlyPure[node.name] : undefined;
        if (impure === undefined || isNamed(node)) return;
        context.report({
          node,
          message: `Pure code uses ${node.name} only as ${node.name}.member, and not ${node.name}.${impure}: the caller gives it times and random numbers.`,
        });
      },
    };
    /** Whether the identifier stands where a type, an import or an allowed member says no more than its name. */
    function isNamed(node: ESTree.Node & { readonly name: string }): boolean {
      const { parent } = node as { readonly parent: ESTree.Node };
      if (parent.type === "ImportSpecifier" || parent.type === "TSQualifiedName") return true;
      if (parent.type !== "MemberExpression") return false;
      if ((parent.property as ESTree.Node) === node) return !parent.computed;
      return (
        !parent.computed && parent.property.type === "Identifier" && parent.property.name !== partlyPure[node.name]
      );
    }
  },
});

// oxlint loads a plugin by its default export.
export default definePlugin({ meta: { name: "house" }, rules: { imports, purity } });
