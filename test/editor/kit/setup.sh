#!/usr/bin/env bash
# Installs what the editor tests need and prints the folder that holds it: VS Code's web server (from the npm package
# code-server, without that package's own layer), the Node it runs on, playwright-core; and Debian's chromium through apt.
# Idempotent, safe to run twice at once, no compiler, no install scripts. Messages go to stderr.
#   setup.sh --check [browser]   installs nothing; where it could not, says why on stdout
#   setup.sh browser             chromium alone, for the tests of the page
set -euo pipefail

code_server=4.139.1  # holds VS Code 1.139.1
node=24.21.0         # what that VS Code wants, whatever Node the project itself uses
playwright=1.65.1

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Tests have a cache of their own; the kit is kept in the user's.
cache=${UNIMISS_TEST_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}}/unimiss-editor-tests
stamp=$(cat "$here/setup.sh" "$here"/stand-ins/* | sha256sum | cut -c1-12)
kit=$cache/$stamp

step='starting'
say() { echo "editor tests: $*" >&2; }
trap 'say "set-up failed while $step (line $LINENO, exit $?)"' ERR

find_chromium() { command -v chromium || command -v chromium-browser; }
has_chromium() { find_chromium >/dev/null; }

case $(uname -sm) in
  'Linux x86_64') arch=x64 ;;
  'Linux aarch64') arch=arm64 ;;
  *) arch= ;;
esac

if [[ ${1:-} == --check ]]; then
  if [[ -z $arch && ${2:-} != browser ]]; then echo "no VS Code server is known for $(uname -sm)"
  elif ! has_chromium && ! command -v apt-get >/dev/null; then echo 'chromium is missing, and there is no apt-get to install it'
  elif ! has_chromium && [[ $(id -u) != 0 ]]; then echo 'chromium is missing, and only root can install it: apt-get install chromium'
  fi
  exit
fi

only=${1:-}
if [[ $only == browser ]] && has_chromium; then exit; fi
if [[ -d $kit ]] && has_chromium; then echo "$kit"; exit; fi

step='taking the lock'
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

if ! has_chromium; then
  step='installing chromium with apt-get'
  say "$step"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends chromium >&2
fi

if [[ $only == browser ]]; then exit; fi
if [[ ! -d $kit ]]; then
  started=$SECONDS
  new=$(mktemp -d "$cache/new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  cd "$new"
  npm_flags=(--ignore-scripts --no-audit --no-fund --loglevel=error)

  step="installing node $node and playwright-core $playwright"
  say "$step"
  npm install "${npm_flags[@]}" --prefix . "node-linux-$arch@$node" "playwright-core@$playwright" >&2
  mv "node_modules/node-linux-$arch/bin/node" node
  rm -rf "node_modules/node-linux-$arch"

  step="fetching code-server $code_server"
  say "$step"
  npm pack "code-server@$code_server" --silent >/dev/null
  tar -xzf "code-server-$code_server.tgz" --strip-components=2 package/lib/vscode
  rm "code-server-$code_server.tgz"

  step="installing the server's dependencies"
  say "$step"
  (cd vscode && npm ci "${npm_flags[@]}" --omit=dev --legacy-peer-deps >&2)

  step='putting the stand-ins in place'
  cp "$here/stand-ins/spdlog.cjs" vscode/node_modules/@vscode/spdlog/index.js
  cp "$here/stand-ins/native-watchdog.cjs" vscode/node_modules/@vscode/native-watchdog/index.js

  step='removing what the tests never use'
  rm -rf vscode/extensions/copilot \
    vscode/node_modules/{@devcontainers,@github,@microsoft/mxc-sdk,@vscode/sandbox-runtime,@vscode/windows-process-tree/build}
  find vscode/node_modules/@vscode/ripgrep-universal/bin vscode/node_modules/node-pty/prebuilds \
    -mindepth 1 -maxdepth 1 ! -name "linux-$arch" -exec rm -rf {} +

  step='trying the server'
  ./node vscode/out/server-main.js --version >/dev/null

  step='moving it to its place'
  mv "$new" "$kit"
  say "ready after $((SECONDS - started)) s, $(du -sm "$kit" | cut -f1) MB: $kit"
fi
echo "$kit"
