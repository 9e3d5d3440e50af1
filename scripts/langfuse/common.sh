# shellcheck shell=sh disable=SC2034,SC2154  # what is set here is used in the scripts, and the other way round
# What the scripts of this folder share. They do what `sqlassay langfuse` does, in the same folder, with docker and curl.

parts=$here/../../evaluation/langfuse_server
case $(uname) in
    Darwin) data="$HOME/Library/Application Support" ;;
    *) data=${XDG_DATA_HOME:-$HOME/.local/share} ;;
esac
folder=${SQLASSAY_LANGFUSE:-$data/sqlassay/langfuse}

fail() {  # fail CODE MESSAGE: 1 when something is not all right, 2 for what whoever called can mend
    printf 'error: %s\n' "$2" >&2
    exit "$1"
}

is_set_up() {
    [ -e "$folder/.env" ] || fail 2 "$folder: no Langfuse is set up there (run $here/setup)"
}

setting() {  # setting NAME: its value in .env
    sed -n "s/^$1=//p" "$folder/.env"
}

find_docker() {
    command -v docker > /dev/null || fail 2 "docker is not installed, or not on the PATH (https://docs.docker.com/engine/install)"
    docker compose version > /dev/null 2>&1 || fail 2 "docker has no \`docker compose\` (install docker-compose-plugin)"
    docker version > /dev/null 2>&1 || fail 2 "docker does not answer (start it; or become a member of the group docker)"
}

compose() {  # compose COMMAND...: in an environment without the settings' names, which would come before .env
    (
        for name in $(sed -n 's/^\([A-Z_]*\)=.*/\1/p' "$folder/.env") COMPOSE_FILE COMPOSE_PROFILES; do
            unset "$name"
        done
        exec docker compose --project-directory "$folder" --file "$folder/compose.yaml" --env-file "$folder/.env" "$@"
    )
}

find_server() {  # which server is meant: the environment's, or one's own
    host=${LANGFUSE_BASE_URL:-${LANGFUSE_HOST:-}} public=${LANGFUSE_PUBLIC_KEY:-} secret=${LANGFUSE_SECRET_KEY:-}
    # Keys alone may be of any server: they are sent to none that nobody named.
    if [ -e "$folder/.env" ] && { [ -n "$host" ] || [ -z "$public" ]; }; then
        own=http://localhost:$(setting LANGFUSE_PORT)
        if [ "${host:-$own}" = "$own" ] && [ -z "$public" ]; then
            public=$(setting LANGFUSE_INIT_PROJECT_PUBLIC_KEY) secret=$(setting LANGFUSE_INIT_PROJECT_SECRET_KEY)
        fi
        host=${host:-$own}
    fi
    [ -n "$host" ] || fail 2 "no Langfuse server is known (set LANGFUSE_BASE_URL and the keys, or run $here/up)"
    host=${host%/}
}

ask() {  # ask PATH [CURL'S OPTIONS]: the body in $body, the status in $status, 000 for no answer, the time in $seconds
    asked=$host$1
    shift
    # The keys are no arguments, which other users could see.
    answer=$(
        if [ -n "$public" ]; then printf 'user = "%s:%s"\n' "$public" "$secret"; fi |
            curl --silent --noproxy "localhost,127.0.0.1,::1${NO_PROXY:+,$NO_PROXY}${no_proxy:+,$no_proxy}" --max-time "${TIMEOUT:-10}" --config - --write-out '\n%{http_code} %{time_total}' "$@" "$asked"
    ) || true
    line=${answer##*"
"}
    body=${answer%"
"*} status=${line% *} seconds=${line#* }
}
