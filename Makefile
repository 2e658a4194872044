.DEFAULT_GOAL := help
.PHONY: help demo test setup check ide browser bench docs lock docker-lint docker-steps clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: ## set up, build the IDE page if npm is here, start the sandbox and the gateway
	@scripts/demo

test: ## set up, then every check and test
	@scripts/test

setup: ## .venv with everything for development
	@scripts/setup dev

check: ## style, types, import contracts, conventions
	@scripts/check

ide: ## build the IDE page into gateway/static/ide
	@scripts/ide

browser: ## install Debian's Chromium for the browser tests
	@scripts/browser

bench: ## measure the storefront queries against the sandbox, and what access costs
	@scripts/bench

docs: ## write the generated parts: the printed schema and the reference of the settings
	@scripts/docs

lock: ## pin the dependencies of Python and of the page anew
	@scripts/lock

docker-lint: ## lint the Dockerfile and the compose file
	@scripts/docker-lint

docker-steps: ## run the Dockerfile's steps in a clean directory, without Docker
	@scripts/docker-steps

clean: ## remove what the other targets made
	rm -rf .venv var gateway/static frontend/node_modules
