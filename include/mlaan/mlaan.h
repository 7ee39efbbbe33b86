// All of mlaan::core: include this to wrap and train your own network.
#pragma once

#include <mlaan/core/error.h>
#include <mlaan/core/process.h>
#include <mlaan/core/quantity.h>
#include <mlaan/core/random.h>
#include <mlaan/local/cost_report.h>
#include <mlaan/local/engine.h>
#include <mlaan/local/host.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/greedy.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/methods/mlaan_lean.h>
#include <mlaan/local/methods/mlm.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>
#include <mlaan/local/supervision_names.h>
#include <mlaan/measure/cost.h>
#include <mlaan/measure/memory.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/resnet_cifar.h>
